/**
 * One scenario: a test that starts real programs. If a program or an ability that it needs is missing, it is skipped
 * and its name says which; with CI=true it fails.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from '@jest/globals';

const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The path of a program, or undefined. */
export function find(program: string): string | undefined {
  return folders
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** What a machine has to be able to do, besides having programs. */
export interface Ability {
  readonly name: string;
  readonly here: () => boolean;
}

/** `title` in the present tense; `needs` names programs and abilities. */
export function scenario(
  title: string,
  needs: readonly (string | Ability)[],
  body: () => Promise<void>,
  timeoutMs = 120_000,
): void {
  const missing = needs.flatMap((need) => {
    const [name, here] = typeof need === 'string' ? [need, find(need) !== undefined] : [need.name, need.here()];
    return here ? [] : [name];
  });
  if (missing.length === 0) test(title, body, timeoutMs);
  else if (process.env['CI'] === 'true')
    test(title, () => {
      throw new Error(`missing on this machine: ${missing.join(', ')}`);
    });
  else test.skip(`${title} (missing: ${missing.join(', ')})`, () => {});
}

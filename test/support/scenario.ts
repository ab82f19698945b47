/**
 * One scenario: a test that starts real programs. Where one is missing it is skipped and its name says which; with CI=true it fails.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from '@jest/globals';

const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Where a program is, or undefined. */
export function find(program: string): string | undefined {
  return folders.map(folder => join(folder, program)).find(path => { try { accessSync(path, constants.X_OK); return true; } catch { return false; } });
}

/** `title` in the present tense; `needs` names programs. */
export function scenario(title: string, needs: readonly string[], body: () => Promise<void>, timeoutMs = 120_000): void {
  const missing = needs.filter(program => find(program) === undefined);
  if (missing.length === 0) test(title, body, timeoutMs);
  else if (process.env['CI'] === 'true') test(title, () => { throw new Error(`missing on this machine: ${missing.join(', ')}`); });
  else test.skip(`${title} (missing: ${missing.join(', ')})`, () => {});
}

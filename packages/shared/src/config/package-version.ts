/** The version of the package that a module belongs to, from its package.json: one folder above `src` and `dist` alike. */
import { readFileSync } from 'node:fs';

/** `packageVersion(import.meta.url)`; a package without a version is a broken installation and throws. */
export function packageVersion(moduleUrl: string): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', moduleUrl), 'utf8')) as { version?: unknown };
  if (typeof version !== 'string') throw new TypeError(`no version in the package.json of ${moduleUrl}`);
  return version;
}

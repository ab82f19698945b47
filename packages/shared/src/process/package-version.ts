/**
 * The version of the package that a module belongs to, from the nearest package.json above it, in `src` and in `dist`.
 */
import { existsSync, readFileSync } from 'node:fs';

/** `packageVersion(import.meta.url)`; a package without a version is a broken installation and throws. */
export function packageVersion(moduleUrl: string): string {
  let file = new URL('./package.json', moduleUrl);
  for (
    let above = new URL('../package.json', file);
    !existsSync(file) && above.href !== file.href;
    above = new URL('../package.json', file)
  )
    file = above;
  const { version } = (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}) as { version?: unknown };
  if (typeof version !== 'string') throw new TypeError(`no version in the package.json of ${moduleUrl}`);
  return version;
}

/**
 * The version of Adit, which all of its packages share.
 * Rule: the bundle carries it (scripts/bundle.mjs), so that a program needs no file beside it; from source it is that
 * of the package.json of this package.
 */
import { readFileSync } from 'node:fs';

/** Replaced by its value in a bundle. */
declare const ADIT_VERSION: string | undefined;

/** Such as `1.2.3`. */
export function packageVersion(): string {
  if (typeof ADIT_VERSION === 'string') return ADIT_VERSION;
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { readonly version: string }).version;
}

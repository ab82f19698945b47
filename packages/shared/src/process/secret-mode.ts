/**
 * Whether a file with a secret is kept from others.
 * Rule: only its owner may use it, or also a group may read it if root owns the file (PostgreSQL's rule).
 * Not here: Windows, whose files have no mode.
 */
import { statSync } from 'node:fs';

/** The mode of a file that others may use, as `0644`; undefined if they may not. Throws as `statSync` does. */
export function modeTooOpen(path: string): string | undefined {
  if (process.platform === 'win32') return undefined;
  const { mode, uid } = statSync(path);
  const tooOpen = mode & (uid === 0 ? 0o037 : 0o077);
  return tooOpen === 0 ? undefined : (mode & 0o777).toString(8).padStart(4, '0');
}

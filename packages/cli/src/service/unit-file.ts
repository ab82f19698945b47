/**
 * The file of a unit that `adit service` wrote.
 * Rule: it begins with a line that says so. Nothing else is replaced or removed. It is there whole or not at all.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const mark = '# Written by "adit service install"; "adit service remove" removes it.\n';

/** Whose file is there. */
export function readUnit(path: string): 'absent' | 'ours' | 'of somebody else' {
  try {
    return readFileSync(path, 'utf8').startsWith(mark) ? 'ours' : 'of somebody else';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'absent';
    throw error;
  }
}

export function writeUnit(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const next = `${path}.new`;
  writeFileSync(next, mark + text, { mode: 0o644 });
  renameSync(next, path);
}

export function removeUnit(path: string): void {
  rmSync(path);
}

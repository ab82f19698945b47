/** Configuration files of peers: one fresh file in the folder of the pair. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes lines into a file and returns its path. */
export function configuration(folder: string, name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

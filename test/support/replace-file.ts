/** Replaces the contents of a file in one step, as a careful program does: no reader sees half of it. */
import { renameSync, writeFileSync } from 'node:fs';
import type { Egress } from './adit.ts';

export function replaceFile(path: string, text: string, mode = 0o644): void {
  writeFileSync(`${path}.new`, text, { mode });
  renameSync(`${path}.new`, path);
}

/** Gives an egress another policy (or another of the files that its policy names) and waits until it is in force. */
export async function reloadPolicy({ process, policyFile }: Egress, text: string, file = policyFile): Promise<void> {
  const before = process.all('reloaded', { what: 'policy' }).length;
  replaceFile(file, text);
  await process.event('reloaded', { what: 'policy' }, { nth: before + 1 });
}

/** Programs that do what Adit does: on the path, or where the benchmark puts them. */
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { find } from './scenario.ts';

/** The path of ghostunnel, wstunnel or chisel, where it is installed. */
export function findPeer(name: string): string | undefined {
  const cached = join(homedir(), '.cache', 'adit-peers', name);
  try {
    accessSync(cached, constants.X_OK);
    return cached;
  } catch {
    return find(name);
  }
}

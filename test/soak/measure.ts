/** What a process holds, read from /proc: resident memory and open descriptors. Spec: proc(5). */
import { readFileSync, readdirSync } from 'node:fs';

export interface Holding {
  readonly bytes: number;
  readonly descriptors: number;
}

export function holding(pid: number): Holding {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (match === null) throw new Error(`process ${pid} has no memory`);
  return { bytes: Number(match[1]) * 1_024, descriptors: readdirSync(`/proc/${pid}/fd`).length };
}

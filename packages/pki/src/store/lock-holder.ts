/**
 * Who holds a lock: enough of a process to tell, later and from another one, whether it is gone.
 * Rule: a number of a process alone proves nothing, it is used again; with its start time and the boot of the machine
 * it does.
 *       Where it cannot be told (another machine, another container), the holder counts as alive.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface LockHolder {
  readonly host: string;
  /** Empty where the system does not say, as is every text below. */
  readonly boot: string;
  readonly processSpace: string;
  readonly pid: number;
  readonly startTime: string;
  /** Different each time that a lock is taken. */
  readonly token: string;
}

/** This process, about to take a lock. */
export function thisHolder(): LockHolder {
  return {
    host: hostname(),
    boot: bootId(),
    processSpace: processSpace(),
    pid: process.pid,
    startTime: startTimeOf(process.pid),
    token: randomBytes(12).toString('hex'),
  };
}

export function formatHolder(holder: LockHolder): string {
  return `${JSON.stringify(holder)}\n`;
}

/** Undefined for anything that `formatHolder` did not write. */
export function parseHolder(text: string): LockHolder | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { host, boot, processSpace: space, pid, startTime, token } = value as Record<string, unknown>;
  const texts = [host, boot, space, startTime].every((field) => typeof field === 'string');
  if (
    !texts ||
    typeof pid !== 'number' ||
    !Number.isSafeInteger(pid) ||
    pid < 1 ||
    typeof token !== 'string' ||
    !/^[0-9a-f]{24}$/.test(token)
  )
    return undefined;
  return value as LockHolder;
}

/** Is the holder certainly gone? */
export function isGone(holder: LockHolder): boolean {
  if (holder.host !== hostname()) return false;
  const boot = bootId();
  if (holder.boot !== '' && boot !== '' && holder.boot !== boot) return true;
  if (holder.processSpace !== processSpace()) return false;
  if (!exists(holder.pid)) return true;
  const started = startTimeOf(holder.pid);
  return holder.startTime !== '' && started !== '' && started !== holder.startTime;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Field 22 of /proc/PID/stat, counted after the command, which may hold anything. */
function startTimeOf(pid: number): string {
  const stat = textOf(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended: it holds nothing any more and will never release.
  return fields[0] === 'Z' ? 'ended' : (fields[19] ?? '');
}

function bootId(): string {
  return textOf(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')).trim();
}
function processSpace(): string {
  return textOf(() => readlinkSync('/proc/self/ns/pid'));
}

/** Only Linux has these files; without them the holder is judged by less. */
function textOf(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

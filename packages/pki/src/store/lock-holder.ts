/**
 * Who holds a lock: enough about a process for another one to tell later whether it is gone.
 * Rule: a process id alone proves nothing, because ids are reused; it counts together with the start time of the
 * process and the boot id of the machine. If nothing can be known (another machine, another container), the holder
 * counts as alive.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface LockHolder {
  readonly host: string;
  /** Empty if the system does not tell, as is every text below. */
  readonly boot: string;
  readonly processSpace: string;
  readonly pid: number;
  readonly startTime: string;
  /** A new one for each lock that is taken. */
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

/** Whether the holder is certainly gone. */
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
    // EPERM: it exists and belongs to another user.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Field 22 of /proc/PID/stat, counted after the command name, which may contain anything. */
function startTimeOf(pid: number): string {
  const stat = textOf(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended and never releases anything.
  return fields[0] === 'Z' ? 'ended' : (fields[19] ?? '');
}

function bootId(): string {
  return textOf(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')).trim();
}
function processSpace(): string {
  return textOf(() => readlinkSync('/proc/self/ns/pid'));
}

/** Only Linux has these files; elsewhere the text is empty. */
function textOf(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

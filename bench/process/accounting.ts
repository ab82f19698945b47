/**
 * What a pair costs, read from /proc: processor time and memory of its sessions, forked children included.
 * Rule: a process counts when its session is one of ours; time of children that ended counts through the parent that
 * waited for them.
 * Not here: memory in the kernel (socket buffers). Spec: proc(5), `stat` and `smaps_rollup`.
 */
import { readFileSync, readdirSync } from 'node:fs';

/** Ticks a second in /proc; fixed by the kernel's user interface on Linux. */
const ticksPerSecond = 100;

/** The parts of /proc/PID/stat that count here. */
export interface ProcessStat {
  readonly session: number;
  readonly ticks: number;
}

/**
 * Parses `PID (NAME) STATE PPID PGRP SESSION ...`; NAME may hold spaces and parentheses. `ticks` is
 * utime+stime+cutime+cstime.
 */
export function parseStat(text: string): ProcessStat {
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .trim()
    .split(' ')
    .map(Number);
  const [utime, stime, cutime, cstime] = fields.slice(11, 15);
  const session = fields[3];
  if (
    session === undefined ||
    utime === undefined ||
    stime === undefined ||
    cutime === undefined ||
    cstime === undefined
  )
    throw new Error(`/proc stat is not understood: ${text}`);
  return { session, ticks: utime + stime + cutime + cstime };
}

/** Bytes of memory. */
export interface Memory {
  /** Own pages, and shared ones divided by their users. */
  readonly total: number;
  /** The part of `total` that is files in memory, which is code. */
  readonly file: number;
  /** Every page that is in memory, shared or not. */
  readonly resident: number;
  /** Pages of no file: heaps, stacks, buffers. */
  readonly anonymous: number;
}

/** Parses the lines `Pss:`, `Pss_File:`, `Rss:` and `Anonymous:` (Linux 5.4 and later). */
export function parseRollup(text: string): Memory {
  return {
    total: line(text, 'Pss'),
    file: line(text, 'Pss_File'),
    resident: line(text, 'Rss'),
    anonymous: line(text, 'Anonymous'),
  };
}

function line(text: string, name: string): number {
  const match = new RegExp(String.raw`^${name}:\s+(\d+) kB$`, 'm').exec(text);
  if (match === null) throw new Error(`smaps_rollup has no ${name} line`);
  return Number(match[1]) * 1024;
}

/** User and system seconds of these sessions so far. */
export function processorSeconds(sessions: readonly number[]): number {
  return members(sessions).reduce((sum, { ticks }) => sum + ticks, 0) / ticksPerSecond;
}

/** Memory of these sessions. */
export function memoryOf(sessions: readonly number[]): Memory {
  return members(sessions).reduce(
    (sum, { pid }) => {
      const rollup = readGone(`/proc/${pid}/smaps_rollup`);
      if (rollup === undefined || rollup === '') return sum;
      const { total, file, resident, anonymous } = parseRollup(rollup);
      return {
        total: sum.total + total,
        file: sum.file + file,
        resident: sum.resident + resident,
        anonymous: sum.anonymous + anonymous,
      };
    },
    { total: 0, file: 0, resident: 0, anonymous: 0 },
  );
}

function members(sessions: readonly number[]): (ProcessStat & { readonly pid: number })[] {
  if (sessions.length === 0) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const stat = readGone(`/proc/${pid}/stat`);
      if (stat === undefined) return [];
      const parsed = parseStat(stat);
      return sessions.includes(parsed.session) ? [{ ...parsed, pid: Number(pid) }] : [];
    });
}

/** A file of a process that may end at any time: then undefined. */
function readGone(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

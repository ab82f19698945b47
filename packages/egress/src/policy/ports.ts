/**
 * Sets of ports: "443", "443,8443", "8000-8100", "22,8000-8100", "*" for all of them.
 * Rule: a set is sorted, merged and never empty, and never holds port 0.
 */
import type { Parsed } from '@adit/shared/protocol/address';
import { parsePort } from '@adit/shared/protocol/destination';

/** First and last port of each run, ascending. */
export type Ports = readonly (readonly [first: number, last: number])[];

const all: Ports = [[1, 65535]];

/** Reads a set; the reason names the part that is wrong. */
export function parsePorts(text: string): Parsed<Ports> {
  if (text === '*') return { ok: true, value: all };
  const runs: (readonly [number, number])[] = [];
  for (const part of text.split(',')) {
    const [firstText = '', lastText = firstText, ...more] = part.split('-');
    const first = parsePort(firstText);
    const last = parsePort(lastText);
    if (!first.ok || !last.ok || more.length > 0)
      return {
        ok: false,
        reason:
          text === ''
            ? 'the ports are missing: write :443, :443,8443, :8000-8100 or :*'
            : `${JSON.stringify(part)} is not a port or range of ports from 1 to 65535`,
      };
    if (first.value > last.value) return { ok: false, reason: `the range ${part} ends before it begins` };
    runs.push([first.value, last.value]);
  }
  return { ok: true, value: merged(runs) };
}

function merged(runs: (readonly [number, number])[]): Ports {
  const out: [number, number][] = [];
  for (const [first, last] of runs.sort((a, b) => a[0] - b[0])) {
    const open = out.at(-1);
    if (open !== undefined && first <= open[1] + 1) open[1] = Math.max(open[1], last);
    else out.push([first, last]);
  }
  return out;
}

export function portsInclude(ports: Ports, port: number): boolean {
  return ports.some(([first, last]) => port >= first && port <= last);
}

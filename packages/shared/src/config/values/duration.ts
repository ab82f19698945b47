/**
 * Durations as people write them: `500ms`, `10s`, `5m`, `1h`, `1.5s`. A bare number is seconds; `0` turns a limit
 * off.
 * Rule: the value is whole milliseconds between 0 and `maxDurationMs`, so that it always fits a timer.
 */
import { parsed, unparsed, type Parsed } from '../parsed.ts';

/** 2^31 - 1 ms, about 24 days: Node fires a longer timer at once. */
export const maxDurationMs = 0x7fff_ffff;

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const shape = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h)?$/;

/** Text to milliseconds. */
export function parseDuration(text: string): Parsed<number> {
  const match = shape.exec(text);
  if (!match) return unparsed('not a duration: write 500ms, 10s, 5m, 1h, or 0 for none');
  const amount = Number(match[1]);
  const ms = Math.round(amount * units[(match[2] ?? 's') as keyof typeof units]);
  if (ms > maxDurationMs) return unparsed('too long: at most 596h');
  if (ms === 0 && amount > 0) return unparsed('shorter than a millisecond: write 1ms, or 0 for none');
  return parsed(ms);
}

/** Like `parseDuration`, for waits that cannot be turned off: refuses 0. */
export function parseDeadline(text: string): Parsed<number> {
  const duration = parseDuration(text);
  return duration.ok && duration.value === 0
    ? unparsed('0 is not allowed: without this limit a silent peer would hold its place for ever')
    : duration;
}

/** Milliseconds to the shortest text that parses back to them. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0';
  for (const unit of ['h', 'm', 's'] as const) if (ms % units[unit] === 0) return `${ms / units[unit]}${unit}`;
  return `${ms}ms`;
}

/**
 * A number of bytes as people write it: `4096`, `64k`, `8M`, `1G` (powers of 1024).
 * Rule: whole numbers only; 0 only if the caller allows it.
 */
import { parsed, unparsed, type Parsed } from '../parsed.ts';

const units = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 } as const;

/** Bytes, at least `least` (default 1) and at most 2^53 - 1. */
export function parseSize(text: string, least = 1): Parsed<number> {
  const match = /^(\d{1,12})([kmg]?)$/i.exec(text);
  if (!match) return unparsed('not a size: write 65536, 64k, 8M or 1G');
  const bytes = Number(match[1]) * units[match[2]!.toLowerCase() as keyof typeof units];
  if (!Number.isSafeInteger(bytes)) return unparsed('too large');
  return bytes >= least ? parsed(bytes) : unparsed(`too small: at least ${least} bytes`);
}

/** Replay memory of a session, 1 MiB at least: with less than two reads in each direction it would stall. */
export function parseReplaySize(text: string): Parsed<number> {
  return parseSize(text, 1024 ** 2);
}

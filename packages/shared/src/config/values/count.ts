/**
 * Counts: whole numbers from 1 to 2^31 - 1, in decimal digits only.
 * Rule: no sign, no exponent, no leading zero, so that a count has one spelling.
 */
import { parsed, unparsed, type Parsed } from '../parsed.ts';

export const maxCount = 0x7fff_ffff;

export function parseCount(text: string): Parsed<number> {
  if (!/^[1-9]\d{0,9}$/.test(text) || Number(text) > maxCount)
    return unparsed(`not a count: write a whole number from 1 to ${maxCount}`);
  return parsed(Number(text));
}

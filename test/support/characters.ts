/**
 * Any text, for property tests: `fc.string({ unit: anyCharacter })`.
 * Rule: what it generates is what fast-check's unit 'binary' does, every code point but the halves of a surrogate pair;
 * that one makes a table of all 1.1 million of them in every file that uses it, which takes a second and 100 MB.
 */
import fc from 'fast-check';

const surrogates = { from: 0xd800, count: 0x800 } as const;

/** One code point, as a string. */
export const anyCharacter = fc.nat({ max: 0x10ffff - surrogates.count }).map(
  (n) => String.fromCodePoint(n < surrogates.from ? n : n + surrogates.count),
  (value) => {
    const point = typeof value === 'string' ? value.codePointAt(0) : undefined;
    if (point === undefined || String.fromCodePoint(point) !== value || isSurrogate(point))
      throw new TypeError('not one character');
    return point < surrogates.from ? point : point - surrogates.count;
  },
);

function isSurrogate(point: number): boolean {
  return point >= surrogates.from && point < surrogates.from + surrogates.count;
}

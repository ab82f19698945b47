/**
 * Any text and any URL, for property tests: `fc.string({ unit: anyCharacter })`, `anyUrl('http')`.
 * Rule: they generate what fast-check's unit 'binary' and its `webUrl` do. Those make tables of all 1.1 million code
 * points in every file that uses them, which takes seconds and hundreds of MB.
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

const plain = fc.constantFrom(..."abcxyzABCXYZ0189-._~!$&'()*+,;=:@");
const inUrl = fc.string({ unit: fc.oneof(plain, anyCharacter.map(encodeURIComponent)) });

/** A URL of a domain, with a path of any segments, and with or without a query. */
export const anyUrl = (...schemes: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...schemes), fc.domain(), fc.array(inUrl, { maxLength: 5 }), fc.option(inUrl))
    .map(
      ([scheme, host, segments, query]) =>
        `${scheme}://${host}${segments.map((each) => `/${each}`).join('')}${query === null ? '' : `?${query}`}`,
    );

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../../test/support/characters.ts';
import { hopsOf, loopOf, maxHops, newPseudonym, viaHeader } from './via-header.ts';

describe('the way over next hops', () => {
  it('is read from Via, in one header or several', () => {
    expect([hopsOf(undefined), hopsOf(''), hopsOf('1.1 a, 1.0 b (squid/5)'), hopsOf(['1.1 a', ' 1.1 b,'])]).toEqual([
      [],
      [],
      ['1.1 a', '1.0 b (squid/5)'],
      ['1.1 a', '1.1 b'],
    ]);
  });

  it('is a circle where our own pseudonym is in it, wherever it stands', () => {
    const [pseudonym, other] = [newPseudonym(), newPseudonym()];
    expect(pseudonym).not.toBe(other);
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('1.1 proxy', `1.1 ${other}`, 'HTTP/1.1  x (y)'), { maxLength: maxHops - 1 }),
        fc.nat(),
        (hops, at) => {
          const place = at % (hops.length + 1);
          expect(loopOf(hops, pseudonym)).toBeUndefined();
          expect(loopOf([...hops.slice(0, place), `1.1 ${pseudonym}`, ...hops.slice(place)], pseudonym)).toMatch(
            /circle/,
          );
        },
      ),
    );
  });

  it('has an end, whoever is on it', () => {
    expect(
      loopOf(
        Array.from({ length: maxHops }, () => '1.1 x'),
        newPseudonym(),
      ),
    ).toBeUndefined();
    expect(
      loopOf(
        Array.from({ length: maxHops + 1 }, () => '1.1 x'),
        newPseudonym(),
      ),
    ).toBe('this request came over 9 hops, and 8 are the most');
  });

  it('goes on with our pseudonym at its end, as one line, and the next reads the same hops', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: anyCharacter }), { maxLength: 10 }), (texts) => {
        const hops = hopsOf(texts);
        const pseudonym = newPseudonym();
        const via = viaHeader(hops, pseudonym);
        expect(via).toMatch(/^[ -~]*$/);
        expect(loopOf(hopsOf(via), pseudonym)).toMatch(/circle/);
        expect(hopsOf(via).length).toBeGreaterThan(0);
      }),
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../../test/support/characters.ts';
import { hopsOf, loopOf, maxHops, newPseudonym, viaHeader } from './via-header.ts';

describe('the header Via', () => {
  it('is read from one field or several', () => {
    expect([hopsOf(undefined), hopsOf(''), hopsOf('1.1 a, 1.0 b (squid/5)'), hopsOf(['1.1 a', ' 1.1 b,'])]).toEqual([
      [],
      [],
      ['1.1 a', '1.0 b (squid/5)'],
      ['1.1 a', '1.1 b'],
    ]);
  });

  it('shows a circle where our own pseudonym is in it, at any position', () => {
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

  it('has a limit of hops, whoever they are', () => {
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

  it('is sent on as one line with our pseudonym at the end, and the next reads the same hops', () => {
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

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hopsOf, loopOf, maxHops, newMark, trailOf } from './trail.ts';

describe('the way over next hops', () => {
  it('is read from Via, in one header or several', () => {
    expect([hopsOf(undefined), hopsOf(''), hopsOf('1.1 a, 1.0 b (squid/5)'), hopsOf(['1.1 a', ' 1.1 b,'])]).toEqual([
      [],
      [],
      ['1.1 a', '1.0 b (squid/5)'],
      ['1.1 a', '1.1 b'],
    ]);
  });

  it('is a circle where our own mark is in it, wherever it stands', () => {
    const [mark, other] = [newMark(), newMark()];
    expect(mark).not.toBe(other);
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('1.1 proxy', `1.1 ${other}`, 'HTTP/1.1  x (y)'), { maxLength: maxHops - 1 }),
        fc.nat(),
        (hops, at) => {
          const place = at % (hops.length + 1);
          expect(loopOf(hops, mark)).toBeUndefined();
          expect(loopOf([...hops.slice(0, place), `1.1 ${mark}`, ...hops.slice(place)], mark)).toMatch(/circle/);
        },
      ),
    );
  });

  it('has an end, whoever is on it', () => {
    expect(
      loopOf(
        Array.from({ length: maxHops }, () => '1.1 x'),
        newMark(),
      ),
    ).toBeUndefined();
    expect(
      loopOf(
        Array.from({ length: maxHops + 1 }, () => '1.1 x'),
        newMark(),
      ),
    ).toBe('this request came over 9 hops, and 8 are the most');
  });

  it('goes on with our mark at its end, as one line, and the next reads the same hops', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 10 }), (texts) => {
        const hops = hopsOf(texts);
        const mark = newMark();
        const trail = trailOf(hops, mark);
        expect(trail).toMatch(/^[ -~]*$/);
        expect(loopOf(hopsOf(trail), mark)).toMatch(/circle/);
        expect(hopsOf(trail).length).toBeGreaterThan(0);
      }),
    );
  });
});

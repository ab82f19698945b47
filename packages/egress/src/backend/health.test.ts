import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { probeDelayMs, Health, retryBounds, retryDelayMs } from './health.ts';

const play = (health: Health, outcomes: string): string =>
  [...outcomes]
    .map((one) => {
      health.report(one === '+');
      return health.up ? 'U' : 'd';
    })
    .join('');

describe('health', () => {
  it('falls after `fall` failures in a row, and rises after `rise` successes', () => {
    expect(play(new Health({ rise: 2, fall: 3 }), '--+---+-++-')).toBe('UUUUUddddUU');
    expect(play(new Health({ rise: 1, fall: 1 }), '-+-')).toBe('dUd');
  });

  it('reports each change once, and only after a whole row', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.boolean(), { maxLength: 80 }),
        (rise, fall, outcomes) => {
          const health = new Health({ rise, fall });
          let up = true;
          outcomes.forEach((outcome, at) => {
            const turned = health.report(outcome);
            expect(turned).toBe(health.up !== up);
            if (turned) {
              expect(health.up).toBe(outcome);
              const need = outcome ? rise : fall;
              expect(outcomes.slice(at + 1 - need, at + 1)).toEqual(Array(need).fill(outcome));
            }
            up = health.up;
          });
        },
      ),
    );
  });

  it('keeps its state when the bounds change', () => {
    const health = new Health({ rise: 2, fall: 2 });
    play(health, '--');
    health.rebound({ rise: 1, fall: 1 });
    expect([health.up, health.report(true), health.up]).toEqual([false, true, true]);
  });
});

describe('the wait before a probe', () => {
  it('is within a tenth of the interval', () => {
    expect([probeDelayMs(5000, 0), probeDelayMs(5000, 0.5), probeDelayMs(5000, 0.999999)]).toEqual([4500, 5000, 5500]);
  });

  it('doubles while a backend stays down, up to a bound, and is never 0', () => {
    expect([0, 1, 2, 5, 60].map((number) => retryDelayMs(number, 1))).toEqual([1000, 2000, 4000, 30_000, 30_000]);
    fc.assert(
      fc.property(fc.nat(1000), fc.double({ min: 0, max: 1, noNaN: true }), (number, drawn) => {
        expect(retryDelayMs(number, drawn)).toBeGreaterThanOrEqual(retryBounds.firstMs / 2);
        expect(retryDelayMs(number, drawn)).toBeLessThanOrEqual(retryBounds.capMs);
      }),
    );
  });
});

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Waste } from './waste.ts';

test('20 seconds of the rate may come at once; one more, and the identity is out for 2 s, and nobody else', () => {
  const waste = new Waste(10);
  for (let n = 0; n < 200; n++) expect(waste.add('mallory', 0)).toBeUndefined();
  expect(waste.add('mallory', 0)).toMatchObject({ code: 'EXCESSIVE', reason: expect.stringContaining('10 a second') });
  expect(waste.refusal('mallory', 1_999)).toMatchObject({ code: 'EXCESSIVE' });
  expect([waste.refusal('mallory', 2_000), waste.refusal('alice', 0), waste.add('alice', 0)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('what comes to nothing while an identity is out does not prolong that, and costs it nothing', () => {
  const waste = new Waste(10);
  for (let n = 0; n < 201; n++) waste.add('mallory', 0);
  for (let ms = 0; ms < 2_000; ms += 10) expect(waste.add('mallory', ms)).toBeDefined();
  for (let n = 0; n < 20; n++) expect(waste.add('mallory', 2_000)).toBeUndefined();
  expect(waste.add('mallory', 2_000)).toBeDefined();
});

test('an identity that comes to rest is forgotten', () => {
  const waste = new Waste(10);
  for (let n = 0; n < 201; n++) waste.add('mallory', 0);
  expect(waste.size).toBe(2);
  for (let n = 0; n < 201; n++) waste.add('other', 60_000);
  expect(waste.size).toBe(2);
});

test('however often it comes back, an identity wastes no more than the burst and the rate', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400), { maxLength: 300 }), (pauses) => {
      const waste = new Waste(5);
      let now = 0;
      let wasted = 0;
      for (const pause of pauses) {
        now += pause;
        if (waste.refusal('mallory', now)) continue;
        wasted++;
        waste.add('mallory', now);
      }
      // each time it is sent away, it was one too many
      expect(wasted).toBeLessThanOrEqual(100 + (now / 1_000) * 5 + now / 2_000 + 1);
    }),
  );
});

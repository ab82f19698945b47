import { expect, test } from '@jest/globals';
import { validity } from './validity.ts';

const now = new Date('2030-01-01T00:00:00.789Z');

test('it begins five minutes ago and ends in whole seconds', () => {
  expect(validity(90, now)).toEqual({
    notBefore: new Date('2029-12-31T23:55:00Z'),
    notAfter: new Date('2030-04-01T00:00:00Z'),
  });
});
test('it does not go beyond the end of the CA', () => {
  const end = new Date('2030-01-10T00:00:00Z');
  expect(validity(90, now, end).notAfter).toEqual(end);
  expect(validity(9, now, end).notAfter).toEqual(end);
  expect(validity(8, now, end).notAfter).toEqual(new Date('2030-01-09T00:00:00Z'));
});
test.each([0, -1, 1.5, Number.NaN, 36_501, Infinity])('%p days are refused', (days) => {
  expect(() => validity(days, now)).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

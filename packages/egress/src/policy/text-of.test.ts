import { expect, it } from '@jest/globals';
import { textOf } from './text-of.ts';

const number = textOf((text) =>
  /^\d+$/.test(text) ? { ok: true, value: Number(text) } : { ok: false, reason: 'no number' },
);

it('keeps the text beside its value', () => {
  expect(number.parse('07')).toEqual({ text: '07', value: 7 });
});

it('quotes what it cannot read, with the reason', () => {
  expect(number.safeParse('a\nb').error?.issues).toMatchObject([{ code: 'custom', message: '"a\\nb": no number' }]);
  expect(number.safeParse(7).error?.issues).toMatchObject([{ code: 'invalid_type', expected: 'string' }]);
});

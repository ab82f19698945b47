import { expect, test } from '@jest/globals';
import { parsed, unparsed } from './parsed.ts';

test('an answer is a value or a reason', () => {
  expect(parsed(0)).toEqual({ ok: true, value: 0 });
  expect(unparsed('too long')).toEqual({ ok: false, reason: 'too long' });
});

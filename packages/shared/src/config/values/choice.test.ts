import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { choice, parseSwitch, wordsOf } from './choice.ts';

test('a choice takes its words exactly and names them when it refuses', () => {
  const parse = choice(['json', 'pretty']);
  expect(parse('json')).toEqual({ ok: true, value: 'json' });
  for (const text of ['JSON', ' json', '', 'yaml', 'toString', '__proto__'])
    expect(parse(text)).toEqual({ ok: false, reason: 'not one of json, pretty' });
});

test('a choice tells its words, and another parser has none', () => {
  expect(wordsOf(choice(['json', 'pretty']))).toEqual(['json', 'pretty']);
  expect(wordsOf(parseSwitch)).toEqual([]);
});

test('a switch is true or false and nothing else', () => {
  expect(parseSwitch('true')).toEqual({ ok: true, value: true });
  expect(parseSwitch('false')).toEqual({ ok: true, value: false });
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.constantFrom('yes', 'no', '1', '0', 'True', 'on')), (text) => {
      expect(parseSwitch(text).ok).toBe(text === 'true' || text === 'false');
    }),
  );
});

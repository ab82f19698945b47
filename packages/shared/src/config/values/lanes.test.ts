import { expect, test } from '@jest/globals';
import { parseLanes, parseLanesOrAuto } from './lanes.ts';

test('a session has one to eight lanes', () => {
  expect(['1', '8'].map(parseLanes)).toEqual([
    { ok: true, value: 1 },
    { ok: true, value: 8 },
  ]);
});

test.each(['0', '9', '10', '-1', '1.5', '', 'auto'])('%j is no number of lanes', (text) => {
  expect(parseLanes(text)).toMatchObject({ ok: false, reason: expect.stringContaining('1 to 8') });
});

test('auto is one where it may be', () => {
  expect([parseLanesOrAuto('auto'), parseLanesOrAuto('3')]).toEqual([
    { ok: true, value: 'auto' },
    { ok: true, value: 3 },
  ]);
  expect(parseLanesOrAuto('many')).toMatchObject({ ok: false, reason: expect.stringContaining('or auto') });
});

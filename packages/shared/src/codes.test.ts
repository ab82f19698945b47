import { expect, test } from '@jest/globals';
import { codes, type CodeRow } from './codes.ts';

const rows = Object.values<CodeRow>(codes);

test('no wire number is used twice', () => {
  const wires = rows.flatMap(({ wire }) => (wire === undefined ? [] : [wire]));
  expect(wires.length).toBeGreaterThan(0);
  expect(new Set(wires).size).toBe(wires.length);
});

test('every code has one sentence of advice', () => {
  for (const { advice } of rows) expect(advice).toMatch(/^[A-Z].*\.$/);
});

test('only what the policy of the egress denies for good exits with 4', () => {
  for (const { exit, origin, retryable } of rows) expect(exit === 4).toBe(origin === 'policy' && !retryable);
});

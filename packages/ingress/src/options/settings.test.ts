import { expect, test } from '@jest/globals';
import { ingressSettings } from './settings.ts';

test('no two rows have one name or one letter, and no row is both required and defaulted', () => {
  const rows = Object.values(ingressSettings);
  const names = rows.flatMap((row) => ('short' in row ? [row.name, row.short] : [row.name]));
  expect(new Set(names).size).toBe(names.length);
  for (const row of rows) expect('required' in row && 'fallback' in row).toBe(false);
});

test('every default parses', () => {
  for (const row of Object.values(ingressSettings))
    if ('fallback' in row) expect(row.parse(row.fallback)).toMatchObject({ ok: true });
});

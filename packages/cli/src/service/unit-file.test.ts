import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { readUnit, removeUnit, writeUnit } from './unit-file.ts';

test('a unit that was written is ours until it is removed; another one is not', () => {
  const path = join(temporaryFolder(), 'below', 'adit-egress.service');
  expect(readUnit(path)).toBe('absent');
  writeUnit(path, '[Unit]\n');
  expect(readFileSync(path, 'utf8')).toMatch(/^# Written by .*\n\[Unit\]\n$/);
  expect(readUnit(path)).toBe('ours');
  removeUnit(path);
  expect(readUnit(path)).toBe('absent');
  writeFileSync(path, '[Unit]\n');
  expect(readUnit(path)).toBe('of somebody else');
});

test('what cannot be read is an error', () => {
  expect(() => readUnit(temporaryFolder())).toThrow('EISDIR');
});

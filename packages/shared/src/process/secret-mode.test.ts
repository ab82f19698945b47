import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { modeTooOpen } from './secret-mode.ts';

const path = join(temporaryFolder(), 'secret');
writeFileSync(path, 'x');
const withMode = (mode: number): string | undefined => {
  chmodSync(path, mode);
  return modeTooOpen(path);
};

test('a file that only its owner may use is kept from others', () => {
  for (const mode of [0o600, 0o400, 0o700]) expect(withMode(mode)).toBeUndefined();
});

test.each([0o604, 0o602, 0o620, 0o644, 0o666])('mode %o is too open', (mode) => {
  expect(withMode(mode)).toBe(`0${mode.toString(8)}`);
});

const isRoot = process.getuid?.() === 0;
(isRoot ? test : test.skip)('a group may read what root owns, and nothing else', () => {
  expect(withMode(0o640)).toBeUndefined();
  chownSync(path, 65534, 0);
  expect(withMode(0o640)).toBe('0640');
});

test('a missing file is an error of the system', () => {
  expect(() => modeTooOpen(`${path}.absent`)).toThrow('ENOENT');
});

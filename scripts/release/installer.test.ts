import { resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Release } from './context.ts';
import { installerOf } from './installer.ts';

const release = { root: resolve(import.meta.dirname, '../..'), version: '1.2.3' } as Release;

test('it carries the version and who signs', () => {
  const text = installerOf(release, 'adit-release namespaces="adit-release" ssh-ed25519 AAAA\n');
  expect(text).toContain("\nversion='1.2.3'\n");
  expect(text).toContain('\nsigners=\'adit-release namespaces="adit-release" ssh-ed25519 AAAA\'\n');
});
test('nobody signs an unsigned release; what would break the quotes is refused', () => {
  expect(installerOf(release)).toContain("\nsigners=''\n");
  expect(() => installerOf(release, "x'; rm")).toThrow('no place for signers');
});

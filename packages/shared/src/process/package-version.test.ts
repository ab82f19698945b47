import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { packageVersion } from './package-version.ts';

const root = join(import.meta.dirname, '..', '..', '..', '..');
const versionOf = (...folder: readonly string[]): unknown =>
  (JSON.parse(readFileSync(join(root, ...folder, 'package.json'), 'utf8')) as { readonly version?: unknown }).version;

test('the version is that of the repository and of each of its packages', () => {
  expect(packageVersion()).toMatch(/^\d+\.\d+\.\d+/);
  const all = [versionOf(), ...readdirSync(join(root, 'packages')).map((name) => versionOf('packages', name))];
  expect(new Set(all)).toEqual(new Set([packageVersion()]));
});

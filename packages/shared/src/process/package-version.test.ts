import { expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageVersion } from './package-version.ts';

test('the version is that of the package above the module', () => {
  const folder = mkdtempSync(join(tmpdir(), 'adit-'));
  const module = pathToFileURL(join(folder, 'dist', 'main.js')).href;
  writeFileSync(join(folder, 'package.json'), '{"version":"1.2.3"}');
  expect(packageVersion(module)).toBe('1.2.3');
  writeFileSync(join(folder, 'package.json'), '{}');
  expect(() => packageVersion(module)).toThrow('no version');
  rmSync(folder, { recursive: true });
});

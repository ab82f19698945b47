import { expect, test } from '@jest/globals';
import { findProgram, requireProgram, versionOf } from './program.ts';

test('a program that is installed is found with its whole path', () => {
  expect(findProgram('sh')).toMatch(/^\/.*\/sh$/);
});
test('a program that is not installed is named', () => {
  expect(findProgram('no-such-program')).toBeUndefined();
  expect(() => requireProgram('no-such-program')).toThrow('no-such-program is not installed');
});
test('a version is the first number with dots', async () => {
  expect(await versionOf([process.execPath, '--version'])).toBe(process.versions.node);
});

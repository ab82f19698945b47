import { X509Certificate } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { systemRoots } from './system-roots.ts';

test('are certificates, each once, and read once', () => {
  const roots = systemRoots();
  expect(roots.length).toBeGreaterThan(50);
  expect(new Set(roots).size).toBe(roots.length);
  expect(new X509Certificate(roots[0]!).ca).toBe(true);
  expect(systemRoots()).toBe(roots);
});

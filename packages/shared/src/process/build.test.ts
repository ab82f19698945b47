import { expect, test } from '@jest/globals';
import { commitOf } from './build.ts';

test('a commit is known only where the build has put a hash', () => {
  expect(commitOf()).toBeUndefined();
  expect(commitOf('44078c0a0b0c0d0e0f101112131415161718191a')).toBe('44078c0a0b0c');
  expect(commitOf('44078c0')).toBe('44078c0');
  for (const text of ['', 'main', '44078', 'xyz1234', 12]) expect(commitOf(text)).toBeUndefined();
});

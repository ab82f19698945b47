import { expect, test } from '@jest/globals';
import TestOrder from './test-order.mjs';

/** A file as jest describes it, never run before. */
const file = (project, path, size) => ({
  path,
  context: { config: { displayName: { name: project }, cache: false }, hasteFS: { getSize: () => size } },
});

test('scenarios come first and unit tests last, the large ones of each first', () => {
  const files = [
    file('unit', 'large unit', 900),
    file('e2e', 'small scenario', 10),
    file('contract', 'contract', 500),
    file('unit', 'small unit', 1),
    file('e2e', 'large scenario', 20),
  ];
  expect(new TestOrder({}).sort(files).map(({ path }) => path)).toEqual([
    'large scenario',
    'small scenario',
    'contract',
    'large unit',
    'small unit',
  ]);
});

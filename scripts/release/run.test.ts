import { expect, test } from '@jest/globals';
import { run } from './run.ts';

test('what a program writes to stdout comes back', () => {
  expect(run('sh', ['-c', 'cat; echo aside >&2'], { input: 'in' }).toString()).toBe('in');
});
test('a failure tells the command, the status and all that was said', () => {
  expect(() => run('sh', ['-c', 'echo one; echo two >&2; exit 3'])).toThrow(
    'sh -c echo one; echo two >&2; exit 3: ended with 3\none\ntwo',
  );
});
test('a program that is missing is named with its package', () => {
  expect(() => run('no-such-program', [], { from: 'dpkg' })).toThrow('no-such-program is missing: install dpkg');
});

import { expect, test } from '@jest/globals';
import { parseControlSocket } from './control-socket.ts';

test('a control socket is a path, from the folder of the file that names it, or none', () => {
  expect(parseControlSocket('control')).toEqual({ ok: true, value: 'control' });
  expect(parseControlSocket('control', '/home/alice/.adit')).toEqual({ ok: true, value: '/home/alice/.adit/control' });
  expect(parseControlSocket('none', '/home/alice')).toEqual({ ok: true, value: 'none' });
});

test.each([
  ['', /empty/],
  ['a/', /ends in a slash/],
  ['\0', /NUL/],
  ['x'.repeat(200), /at most 103 fit/],
])('%j is none', (text, reason) => {
  expect(parseControlSocket(text)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
});

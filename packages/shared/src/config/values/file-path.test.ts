import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isAbsolute, join } from 'node:path';
import { parsePath } from './file-path.ts';

test('a path of a flag stays as it was written', () => {
  for (const text of ['edge.crt', './a b.crt', '/etc/adit/edge.crt', '~/x'])
    expect(parsePath(text)).toEqual({ ok: true, value: text });
});

test('a relative path of a file starts at the folder of that file', () => {
  expect(parsePath('tls/edge.crt', '/etc/adit')).toEqual({ ok: true, value: '/etc/adit/tls/edge.crt' });
  expect(parsePath('/tls/edge.crt', '/etc/adit')).toEqual({ ok: true, value: '/tls/edge.crt' });
  expect(parsePath('edge.crt', '.')).toEqual({ ok: true, value: 'edge.crt' });
});

test('an empty path and one with a NUL are refused; nothing else is, and nothing throws', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const result = parsePath(text, '/f');
      expect(result.ok).toBe(text !== '' && !text.includes('\0'));
      if (result.ok) expect(result.value).toBe(isAbsolute(text) ? text : join('/f', text));
    }),
    { examples: [[''], ['a\0b']] },
  );
});

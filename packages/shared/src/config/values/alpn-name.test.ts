import { expect, test } from '@jest/globals';
import { parseAlpnName } from './alpn-name.ts';

test.each(['h2', 'http/1.1', 'postgresql', 'x'.repeat(255)])('"%s" is a name', (name) => {
  expect(parseAlpnName(name)).toEqual({ ok: true, value: name });
});

test.each(['', 'h 2', 'h2\n', 'b\u00fccher', 'x'.repeat(256)])('%j is none', (name) => {
  expect(parseAlpnName(name)).toEqual({ ok: false, reason: expect.stringContaining('as in h2') });
});

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../../../../test/support/characters.ts';
import { parseHeader } from './header.ts';

test('a name, a colon, a value', () => {
  expect(parseHeader('CF-Access-Client-Id: abc.def')).toEqual({
    ok: true,
    value: { name: 'CF-Access-Client-Id', value: 'abc.def' },
  });
  expect(parseHeader('X:  a b\t')).toEqual({ ok: true, value: { name: 'X', value: 'a b' } });
});

test.each(['', 'X', ': x', 'X:', 'X Y: z', 'X: a\r\nY: b', 'X: a\nb', 'X: \u00e9', 'X: a\0'])('%j is none', (text) => {
  expect(parseHeader(text)).toEqual({ ok: false, reason: 'not a header: write "Name: value"' });
});

test.each(['Host: x', 'sec-websocket-key: x', 'Upgrade: x', 'Content-Length: 1'])("%s is not the user's", (text) => {
  expect(parseHeader(text)).toMatchObject({
    ok: false,
    reason: expect.stringContaining('belongs to the WebSocket handshake itself'),
  });
});

test('whatever is accepted holds no line end', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter }), (text) => {
      const header = parseHeader(`X: ${text}`);
      if (header.ok) expect(header.value.value).not.toMatch(/[\r\n\0]/);
    }),
  );
});

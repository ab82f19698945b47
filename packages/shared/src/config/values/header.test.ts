import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../../../../test/support/characters.ts';
import { isCredential, nameOfHeader, parseHeader } from './header.ts';

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

test.each([
  'Authorization: x',
  'proxy-authorization: x',
  'Cookie: x',
  'CF-Access-Client-Secret: x',
  'X-Api-Key: x',
  'X-Auth-Token: x',
  'X-Amz-Security-Token: x',
  'X-Goog-IAP-JWT-Assertion: x',
  'X-Whatever: Bearer x',
  'X-Whatever: basic x',
  'Cookie',
  ' Cookie : x',
  'Authorization Bearer x',
])('%j holds a credential', (text) => {
  expect(isCredential(text)).toBe(true);
});

test.each(['CF-Access-Client-Id: x', 'X-Adit-Client: laptop-7', 'X-Author: x', 'X-Route: bearer', 'X: y', '', ':'])(
  '%j holds none',
  (text) => {
    expect(isCredential(text)).toBe(false);
  },
);

test('a complaint shows the name alone', () => {
  expect(['Cookie: a', 'Cookie a:b', 'Cookie', 'Cookie:'].map(nameOfHeader)).toEqual([
    'Cookie: ***',
    'Cookie  ***',
    'Cookie',
    'Cookie:',
  ]);
});

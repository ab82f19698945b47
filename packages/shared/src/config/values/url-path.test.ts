import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../../../../test/support/characters.ts';
import { defaultWsPath, parseUrlPath } from './url-path.ts';

test.each(['/', '/adit', '/a/b.c/~d', '/%41', defaultWsPath])('%s is a path', (text) => {
  expect(parseUrlPath(text)).toEqual({ ok: true, value: text });
});

test.each([
  ['adit', /begins with "\/"/],
  ['', /begins/],
  ['/a?b', /no query/],
  ['/a#b', /no fragment/],
  ['/a b', /%XX/],
  ['/%4', /%XX/],
  ['/\u00e9', /%XX/],
  ['/a\r\n', /%XX/],
  [`/${'a'.repeat(2000)}`, /not the path/],
])('%s is none, and the reason says why', (text, reason) => {
  expect(parseUrlPath(text)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
});

test('never throws, and accepts nothing that could end a line', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter }), (text) => {
      const path = parseUrlPath(`/${text}`);
      if (path.ok) expect(path.value).toMatch(/^\/[\x21-\x7e]*$/);
    }),
  );
});

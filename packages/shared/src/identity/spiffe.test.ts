import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readClientNames } from './spiffe.ts';

const alice = 'spiffe://example.org/client/alice';

test('one client and its groups are read', () => {
  expect(
    readClientNames([
      alice,
      'spiffe://example.org/group/dev',
      'spiffe://example.org/group/ops',
      'spiffe://example.org/group/dev',
      'https://example.org/',
    ]),
  ).toEqual({ uri: alice, trustDomain: 'example.org', name: 'alice', groups: ['dev', 'ops'] });
});
test.each([
  ['no URI', []],
  ['only a group', ['spiffe://example.org/group/dev']],
  ['two clients', [alice, 'spiffe://example.org/client/bob']],
  ['one client twice', [alice, alice]],
  ['a group of another trust domain', [alice, 'spiffe://evil.org/group/dev']],
  ['a NUL', [`${alice}\0.evil.org`]],
  ['a NUL in another URI', [alice, 'http://x\0']],
  ['a newline', [`${alice}\n`]],
  ['a non-ASCII letter', ['spiffe://example.org/client/\xe4lice']],
  ['another kind', [alice, 'spiffe://example.org/ns/x']],
  ['a deeper path', [`${alice}/x`]],
  ['no name', ['spiffe://example.org/client/']],
  ['a dot segment', ['spiffe://example.org/client/..']],
  ['a wildcard', ['spiffe://example.org/client/*']],
  ['a percent', ['spiffe://example.org/client/al%69ce']],
  ['a query', [`${alice}?x`]],
  ['upper case in the trust domain', ['spiffe://Example.org/client/alice']],
  ['upper case in the scheme', [alice, 'SPIFFE://example.org/client/root']],
  ['a port', ['spiffe://example.org:1/client/alice']],
  ['a user', ['spiffe://u@example.org/client/alice']],
  ['an endless name', [`spiffe://example.org/client/${'a'.repeat(256)}`]],
])('%s names nobody', (_, uris) => {
  expect(typeof readClientNames(uris)).toBe('string');
});
test('a list with two URIs of the SPIFFE scheme that are not groups never names anybody', () => {
  fc.assert(
    fc.property(fc.string(), (other) => {
      expect(typeof readClientNames([alice, `spiffe://example.org/client/${other}`])).toBe('string');
    }),
  );
});

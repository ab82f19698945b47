import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { identityMatches, parseIdentityPattern } from './identity-pattern.ts';

const subject = (name: string, groups: string[] = [], trustDomain = 'example.org') => ({
  name,
  groups,
  trustDomain,
  uri: `spiffe://${trustDomain}/client/${name}`,
});
const matches = (text: string, who: ReturnType<typeof subject>): boolean => {
  const parsed = parseIdentityPattern(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return identityMatches(parsed.value, who);
};

describe('identity patterns', () => {
  it.each([
    ['alice', subject('alice'), true],
    ['alice', subject('Alice'), false],
    ['alice', subject('alice2'), false],
    ['alice', subject('alice', [], 'other.net'), true],
    ['developers', subject('bob', ['developers']), false],
    ['group:developers', subject('bob', ['ops', 'developers']), true],
    ['group:developers', subject('developers'), false],
    ['group:alice', subject('alice'), false],
    ['spiffe://example.org/client/alice', subject('alice'), true],
    ['spiffe://example.org/client/alice', subject('alice', [], 'other.net'), false],
    ['spiffe://example.org/client/ci-*', subject('ci-7'), true],
    ['spiffe://example.org/client/ci-*', subject('ci-'), false],
    ['spiffe://example.org/client/ci-*', subject('xci-7'), false],
    ['spiffe://example.org/client/*', subject('anyone'), true],
    ['spiffe://example.org/group/dev*', subject('bob', ['developers']), true],
    ['spiffe://example.org/group/dev*', subject('developers'), false],
    ['spiffe://example.org/group/dev', subject('bob', ['dev'], 'other.net'), false],
    ['*', subject('alice'), true],
    ['*', subject(''), false],
    ['a.b', subject('axb'), false],
  ])('%s against %o is %s', (text, who, expected) => {
    expect(matches(text, who)).toBe(expected);
  });

  it.each([
    '',
    'ali*',
    'group:',
    'group:*',
    'a b',
    'a/b',
    '.',
    '..',
    'group:..',
    'spiffe://example.org/client/',
    'spiffe://example.org/egress/e1',
    'spiffe://*/client/a',
    'spiffe://Example.org/client/a',
    'spiffe://example.org/client/a*b',
    'spiffe://example.org/client/a/b',
    'spiffe://example.org/client/**',
    'spiffe://example.org/client/..',
    'cn:alice',
    'alice\0',
    'älice',
    '**',
  ])('refuse %j, which no certificate could match', (text) => {
    expect(parseIdentityPattern(text).ok).toBe(false);
  });

  it('match the very name they spell and no other', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}$/);
    fc.assert(
      fc.property(name, name, (one, other) => {
        for (const text of [one, `spiffe://example.org/client/${one}`])
          expect(matches(text, subject(other))).toBe(one === other);
      }),
    );
  });
});

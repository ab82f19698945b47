import { describe, expect, it } from '@jest/globals';
import { parseSubjects } from './subjects.ts';

describe('subjects', () => {
  it('of a bare name are one in each trust domain that the policy pins', () => {
    expect(parseSubjects('alice', ['dev'], ['a.org', 'b.org'])).toEqual([
      { name: 'alice', trustDomain: 'a.org', uri: 'spiffe://a.org/client/alice', groups: ['dev'] },
      { name: 'alice', trustDomain: 'b.org', uri: 'spiffe://b.org/client/alice', groups: ['dev'] },
    ]);
    expect(parseSubjects('alice', [], [])).toMatchObject([{ name: 'alice', groups: [] }]);
  });

  it('of a URI are the one that it names', () => {
    expect(parseSubjects('spiffe://c.org/client/alice', [], ['a.org'])).toEqual([
      { name: 'alice', trustDomain: 'c.org', uri: 'spiffe://c.org/client/alice', groups: [] },
    ]);
  });

  it('of a group are a member with a name that no certificate can hold', () => {
    expect(parseSubjects('group:dev', ['ops'], [])).toMatchObject([{ name: '?', groups: ['dev', 'ops'] }]);
    expect(parseSubjects('spiffe://a.org/group/dev', [], [])).toMatchObject([
      { name: '?', groups: ['dev'], trustDomain: 'a.org' },
    ]);
  });

  it.each(['*', 'spiffe://a.org/client/*', 'a b', ''])('are not made of %j, which names no single identity', (text) => {
    expect(parseSubjects(text, [], [])).toBeUndefined();
  });
});

import { AditError, type Code } from '@adit/shared/errors';
import { readClientNames } from '@adit/shared/identity/spiffe';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  checkGroup,
  checkHost,
  checkName,
  checkTrustDomain,
  clientSubject,
  egressSubject,
  spiffeUri,
} from './names.ts';

const failure = (work: () => unknown): { code: Code; message: string } => {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(AditError);
    return error as AditError;
  }
  throw new Error('accepted');
};

test('every name that is accepted is read back by the egress from its URIs', () => {
  const text = fc.string({ unit: fc.constantFrom(...'aZ09._-/: \0*'), maxLength: 70 });
  fc.assert(
    fc.property(text, text, text, (name, group, domain) => {
      try {
        checkName(name);
        checkGroup(group);
        checkTrustDomain(domain);
      } catch (error) {
        expect((error as AditError).code).toBe('NAME_INVALID');
        return;
      }
      expect(readClientNames([spiffeUri(domain, 'client', name), spiffeUri(domain, 'group', group)])).toMatchObject({
        trustDomain: domain,
        name,
        groups: [group],
      });
    }),
    { numRuns: 2000 },
  );
});
test.each(['alice', 'ci-7', 'A.b_c', '0', 'a'.repeat(64)])('%s is a name', (name) => {
  expect(checkName(name)).toBe(name);
});
test.each(['', '.', '..', '.a', '-a', '_a', 'a b', 'a/b', '../a', 'ä', 'a\0', 'a\n', 'a*', 'a'.repeat(65), 'ca', 'CA'])(
  '%j is no name',
  (name) => {
    expect(failure(() => checkName(name)).code).toBe('NAME_INVALID');
  },
);
test('an unusable name is shown escaped, with what is wrong', () => {
  expect(failure(() => checkName('a\x1b[2J')).message).toBe(
    'The name "a\\x1b[2J" cannot be used: it is 1 to 64 letters, digits, dots, dashes and underscores, a letter ' +
      'or digit first.',
  );
  expect(failure(() => checkGroup('a'.repeat(65))).message).toContain('it has 65 characters');
});
test.each(['example.org', 'adit.internal', 'a', 'a_b-c.d', 'x'.repeat(255)])('%s is a trust domain', (domain) => {
  expect(checkTrustDomain(domain)).toBe(domain);
});
test.each(['', 'Example.org', '.a', 'a.', 'a/b', 'a:1', 'u@a', 'x'.repeat(256), 'spiffe://a'])(
  '%j is no trust domain',
  (domain) => {
    expect(failure(() => checkTrustDomain(domain)).code).toBe('NAME_INVALID');
  },
);
test.each([
  ['Tunnel.Example.org', 'dns', 'tunnel.example.org'],
  ['localhost', 'dns', 'localhost'],
  ['a.b.', 'dns', 'a.b'],
  ['127.0.0.1', 'ip', '127.0.0.1'],
  ['[::1]', 'ip', '::1'],
  ['2001:DB8::0:1', 'ip', '2001:db8::1'],
])('the host %s is kept as clients look for it', (text, kind, host) => {
  expect(checkHost(text)).toEqual({ kind, text: host });
});
test.each(['', '*.example.org', 'a:443', '10.1', '0x7f.1', 'a b', 'a\0', 'https://a', 'ä.org', '127.0.0.1/8', '[a]'])(
  '%j is no host',
  (text) => {
    expect(failure(() => checkHost(text)).code).toBe('NAME_INVALID');
  },
);
test('groups and hosts are kept once each; an egress without a host is refused', () => {
  expect(clientSubject('alice', ['b', 'a', 'b'])).toEqual({ kind: 'client', name: 'alice', groups: ['b', 'a'] });
  expect(egressSubject('edge', ['A.org', 'a.org', '::1', '0::1'])).toEqual({
    kind: 'egress',
    name: 'edge',
    hosts: [
      { kind: 'dns', text: 'a.org' },
      { kind: 'ip', text: '::1' },
    ],
  });
  expect(failure(() => egressSubject('edge', []))).toMatchObject({
    code: 'USAGE',
    message: 'The egress edge has no host: give the names and addresses that its clients dial with --host.',
  });
});

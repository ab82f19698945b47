import { expect, test } from '@jest/globals';
import { ascii, day, extension, newCa, newClient, newServer, seq, usage } from '../../../../test/support/issuer.ts';
import { createAuthority } from '../authority.ts';
import { issueLeaf } from '../leaf.ts';
import { clientSubject, egressSubject } from '../names.ts';
import { newPrivateKey } from '../private-key.ts';
import { explainCertificate } from './certificate.ts';

const now = new Date();
const authority = createAuthority({ trustDomain: 'example.org' });
const ca = newCa();
const explain = (der: Uint8Array) => {
  const { title, facts, problems } = explainCertificate(der, now);
  return { title, facts: Object.fromEntries(facts) as Record<string, string>, problems };
};

test('our own certificates are explained, and nothing is wrong with them', () => {
  const alice = explain(
    issueLeaf(authority, clientSubject('alice', ['dev', 'ops']), { publicKey: newPrivateKey() }).certificate.raw,
  );
  expect(alice).toMatchObject({
    title: 'certificate of the client alice',
    facts: {
      identity: 'spiffe://example.org/client/alice',
      groups: 'dev, ops',
      subject: 'CN=alice',
      key: 'EC on P-256',
    },
    problems: [],
  });
  expect(alice.facts['valid until']).toMatch(/\(in 90 days\)$/);
  expect(
    explain(
      issueLeaf(authority, egressSubject('edge', ['a.b', '1.2.3.4', '::1']), { publicKey: newPrivateKey() }).certificate
        .raw,
    ),
  ).toMatchObject({ title: 'certificate of the egress edge', facts: { hosts: 'a.b, 1.2.3.4, ::1' }, problems: [] });
  expect(explain(authority.certificate.raw)).toMatchObject({
    title: 'certificate of a CA for the trust domain example.org',
    facts: { 'may sign': 'certificates and revocation lists' },
    problems: [],
  });
});
test('the wrong dates are named', () => {
  expect(explain(newClient(ca, { from: new Date(+now - 3 * day), to: new Date(+now - day) }).der).problems).toEqual([
    expect.stringMatching(/^It expired on /),
  ]);
  expect(explain(newClient(ca, { from: new Date(+now + day), to: new Date(+now + 2 * day) }).der).problems).toEqual([
    expect.stringMatching(/^It is not valid before /),
  ]);
  expect(explain(newClient(ca, { from: new Date(+now - day), to: new Date(+now - 3 * day) }).der).problems).toEqual([
    'It ends before it begins: it is never valid.',
  ]);
});
test('a certificate without a use, or with two, is named', () => {
  expect(explain(newClient(ca, { uses: [] }).der)).toMatchObject({
    title: 'certificate',
    problems: [expect.stringContaining('neither clients nor servers')],
  });
  expect(explain(newClient(ca, { uses: [usage.client, usage.server] }).der).problems).toEqual([
    expect.stringContaining('for clients and for servers'),
  ]);
});
test('a client without an identity and a server without a host are named', () => {
  expect(explain(newClient(ca, { uris: [] }).der).problems).toEqual([
    'An egress finds no identity in it: it has no URI spiffe://TRUST-DOMAIN/client/NAME.',
  ]);
  expect(explain(newServer(ca, { dns: [] }).der).problems).toEqual([expect.stringContaining('It names no host')]);
  expect(explain(newServer(ca).der).title).toBe('certificate of a server');
});
test('a CA that may not sign is named', () => {
  expect(explain(newCa('x', { ca: { keyUsage: 0x02 } }).der).problems).toEqual([
    expect.stringContaining('lacks keyCertSign'),
  ]);
  expect(explain(newCa('x', { ca: { keyUsage: 0x04 } }).der).problems).toEqual([
    expect.stringContaining('lacks cRLSign'),
  ]);
  expect(explain(ca.der)).toMatchObject({ title: 'certificate of a CA', problems: [] });
});
test('a name with a control character reaches nobody as it is', () => {
  const { facts } = explain(
    newClient(ca, { uris: [], extensions: [extension('2.5.29.17', seq(ascii(0x82, 'a\0b')))] }).der,
  );
  expect(facts['hosts']).toBe('a\0b');
});

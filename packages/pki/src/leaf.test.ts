import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { extendedKeyUsagesOf, readCertificate, uriNamesOf, usages } from '@adit/shared/identity/certificate';
import { readClientNames } from '@adit/shared/identity/spiffe';
import fc from 'fast-check';
import { openssl } from '../../../test/support/openssl.ts';
import { temporaryFolder } from '../../../test/support/scope.ts';
import { createAuthority } from './authority.ts';
import { checkConstraints } from './constraints.ts';
import { issueLeaf } from './leaf.ts';
import { clientSubject, egressSubject } from './names.ts';
import { newPrivateKey } from './private-key.ts';

const folder = temporaryFolder();
const constraints = checkConstraints(['example.org'], ['example.org'], 'example.org');
const authority = createAuthority({ trustDomain: 'example.org', constraints });
const key = newPrivateKey();
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const caFile = file('ca.crt', authority.certificatePem);

test('openssl accepts a client as a client by the strictest rules, and as no server', async () => {
  const alice = file(
    'alice.crt',
    issueLeaf(authority, clientSubject('alice', ['developers', 'ops']), { publicKey: key }).certificatePem,
  );
  expect(await openssl(['verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', caFile, alice])).toContain('OK');
  expect(
    await openssl(['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', caFile, alice], { code: 2 }),
  ).toContain('unsuitable certificate purpose');
});
test('openssl accepts an egress as a server for its hosts only, and as no client', async () => {
  const edge = file(
    'edge.crt',
    issueLeaf(authority, egressSubject('edge', ['tunnel.example.org', '127.0.0.1', '::1']), { publicKey: key })
      .certificatePem,
  );
  const verify = (args: readonly string[], code = 0): Promise<string> =>
    openssl(['verify', '-x509_strict', '-CAfile', caFile, ...args, edge], { code });
  expect(await verify(['-purpose', 'sslserver', '-verify_hostname', 'tunnel.example.org'])).toContain('OK');
  expect(await verify(['-purpose', 'sslserver', '-verify_ip', '127.0.0.1'])).toContain('OK');
  expect(await verify(['-purpose', 'sslserver', '-verify_ip', '::1'])).toContain('OK');
  expect(await verify(['-purpose', 'sslserver', '-verify_hostname', 'example.org'], 2)).toContain('hostname mismatch');
  expect(await verify(['-purpose', 'sslclient'], 2)).toContain('unsuitable certificate purpose');
});
test('an egress reads the client and its groups back', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/).filter((text) => text.toLowerCase() !== 'ca');
  fc.assert(
    fc.property(name, fc.uniqueArray(name, { maxLength: 5 }), (client, groups) => {
      const leaf = issueLeaf(authority, clientSubject(client, groups), { publicKey: key });
      const { extensions, serial } = readCertificate(leaf.certificate.raw);
      expect(readClientNames(uriNamesOf(extensions))).toEqual({
        uri: `spiffe://example.org/client/${client}`,
        trustDomain: 'example.org',
        name: client,
        groups,
      });
      expect(extendedKeyUsagesOf(extensions)).toEqual([usages.clientAuth]);
      expect(serial).toBe(leaf.serial);
      expect(leaf.certificate.serialNumber).toBe(leaf.serial);
      expect(leaf.certificate.subject).toBe(`CN=${client}`);
    }),
    { numRuns: 50 },
  );
});
test('it is valid for 90 days and never beyond its CA', () => {
  const now = new Date('2030-01-01T00:00:00Z');
  const short = createAuthority({ now, days: 10 });
  const issue = (days?: number) =>
    issueLeaf(short, clientSubject('a'), { publicKey: key, now, ...(days !== undefined && { days }) });
  expect(issue().notAfter).toEqual(new Date('2030-01-11T00:00:00Z'));
  expect(issue(3).certificate.validToDate).toEqual(new Date('2030-01-04T00:00:00Z'));
  expect(issueLeaf(createAuthority({ now }), clientSubject('a'), { publicKey: key, now }).notAfter).toEqual(
    new Date('2030-04-01T00:00:00Z'),
  );
  expect(() => issueLeaf(short, clientSubject('a'), { publicKey: key, now: new Date('2030-02-01') })).toThrow(
    expect.objectContaining({ code: 'CREDENTIALS_UNUSABLE' }),
  );
});
test('names outside of the constraints and keys other than P-256 are refused', () => {
  expect(() => issueLeaf(authority, egressSubject('e', ['a.example.com']), { publicKey: key })).toThrow(
    expect.objectContaining({ code: 'NAME_INVALID' }),
  );
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
  expect(() => issueLeaf(authority, clientSubject('a'), { publicKey: rsa })).toThrow(
    expect.objectContaining({
      code: 'REQUEST_INVALID',
      message: 'The key is RSA of 2048 bits, and only P-256 keys get certificates.',
    }),
  );
});
test('a public key serves as well as a private one', () => {
  expect(
    issueLeaf(authority, clientSubject('a'), { publicKey: createPublicKey(key) }).certificate.checkPrivateKey(key),
  ).toBe(true);
});

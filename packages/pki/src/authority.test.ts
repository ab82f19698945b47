import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parseTrustAnchors } from '@adit/shared/identity/trust';
import { openssl } from '../../../test/support/openssl.ts';
import { newCa } from '../../../test/support/issuer.ts';
import { temporaryFolder } from '../../../test/support/scope.ts';
import { checkInForce, createAuthority, readAuthority } from './authority.ts';
import { checkConstraints } from './constraints.ts';
import { newPrivateKey } from './private-key.ts';

const folder = temporaryFolder();

test('openssl accepts it by the strictest rules, and shows what it may do', async () => {
  const path = join(folder, 'ca.crt');
  writeFileSync(
    path,
    createAuthority({
      trustDomain: 'example.org',
      constraints: checkConstraints(['example.org'], ['example.org'], 'example.org'),
    }).certificatePem,
  );
  expect(await openssl(['verify', '-x509_strict', '-check_ss_sig', '-CAfile', path, path])).toBe(`${path}: OK\n`);
  const text = await openssl(['x509', '-in', path, '-noout', '-text']);
  for (const part of [
    'CA:TRUE, pathlen:0',
    'Certificate Sign, CRL Sign\n',
    'URI:spiffe://example.org\n',
    'DNS:example.org',
    'ASN1 OID: prime256v1',
    'ecdsa-with-SHA256',
  ])
    expect(text).toContain(part);
  expect(text.match(/critical/g)).toHaveLength(3);
  expect(text).not.toContain('IP:');
});
test('an egress takes it as a trust anchor', () => {
  expect(parseTrustAnchors(createAuthority().certificatePem, 'ca.crt').certificates).toHaveLength(1);
});
test('it is valid for ten years unless told otherwise, also past 2049', () => {
  const now = new Date('2045-01-01T00:00:00Z');
  expect(createAuthority({ now }).certificate.validToDate).toEqual(new Date('2054-12-30T00:00:00Z'));
  expect(createAuthority({ now, days: 1 }).certificate.validToDate).toEqual(new Date('2045-01-02T00:00:00Z'));
});
test('two CAs of one trust domain have two names', () => {
  expect(createAuthority().certificate.subject).not.toBe(createAuthority().certificate.subject);
});
test('a long trust domain fits', () => {
  expect(createAuthority({ trustDomain: 'x'.repeat(255) }).trustDomain).toHaveLength(255);
});
test('it is read back from its certificate and key', () => {
  const made = createAuthority({ trustDomain: 'example.org' });
  expect(readAuthority(made.certificatePem, made.key, 'ca.crt')).toMatchObject({
    trustDomain: 'example.org',
    certificatePem: made.certificatePem,
  });
});
test('what is not this CA is refused', () => {
  const made = createAuthority();
  const corrupt = (why: string): unknown =>
    expect.objectContaining({ code: 'CA_CORRUPT', message: `The CA certificate ca.crt cannot be used: ${why}.` });
  expect(() => readAuthority(made.certificatePem, newPrivateKey(), 'ca.crt')).toThrow(
    corrupt('its key is that of another certificate'),
  );
  expect(() => readAuthority(newCa().certPem, newPrivateKey(), 'ca.crt')).toThrow(
    corrupt('it names no trust domain (URI SAN spiffe://TRUST-DOMAIN)'),
  );
  expect(() => readAuthority(newCa('x', { ca: { keyUsage: 0x04 } }).certPem, newPrivateKey(), 'ca.crt')).toThrow(
    corrupt('it is not a CA that signs certificates and revocation lists'),
  );
  expect(() => readAuthority('', newPrivateKey(), 'ca.crt')).toThrow(expect.objectContaining({ code: 'CA_CORRUPT' }));
});
test('outside of its dates it is not in force', () => {
  const made = createAuthority({ now: new Date('2030-01-01'), days: 1 });
  checkInForce(made, new Date('2030-01-01'));
  expect(() => {
    checkInForce(made, new Date('2030-01-02'));
  }).toThrow(expect.objectContaining({ code: 'CREDENTIALS_UNUSABLE' }));
  expect(() => {
    checkInForce(made, new Date('2029-12-31'));
  }).toThrow(expect.objectContaining({ code: 'CREDENTIALS_UNUSABLE' }));
});

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { createPrivateKey } from 'node:crypto';
import { day, newCa, newClient, newServer } from '../../../../test/support/issuer.ts';
import { AditError } from '../errors.ts';
import { type CredentialFiles, loadCredentials } from './credentials.ts';

const folder = mkdtempSync(join(tmpdir(), 'adit-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const ca = newCa();
const alice = newClient(ca);
const edge = newServer(ca);
const cert = join(folder, 'x.crt');
const key = join(folder, 'x.key');
function files(certPem: string, keyPem: string, mode = 0o600): CredentialFiles {
  writeFileSync(cert, certPem);
  writeFileSync(key, keyPem);
  chmodSync(key, mode);
  return { cert, key, role: 'client' };
}
function complaint(given: CredentialFiles): string {
  try {
    loadCredentials(given);
  } catch (error) {
    expect(error).toBeInstanceOf(AditError);
    expect((error as AditError).code).toBe('CREDENTIALS_UNUSABLE');
    return (error as AditError).message;
  }
  throw new Error('accepted');
}
const encrypted = createPrivateKey(alice.keyPem)
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
  .toString();
const past = { from: new Date(Date.now() - 2 * day), to: new Date(Date.now() - day) };
const future = { from: new Date(Date.now() + day), to: new Date(Date.now() + 2 * day) };

test('a client certificate, its chain and its key are loaded', () => {
  const credentials = loadCredentials(files(alice.certPem + ca.certPem, alice.keyPem));
  expect(credentials.leaf.subject).toBe('CN=alice');
  expect(credentials.chain.map((certificate) => certificate.subject)).toEqual(['CN=Test CA']);
  expect(credentials.notAfter.getTime()).toBeGreaterThan(Date.now());
  expect(credentials.summary).toMatch(/^spiffe:\/\/example\.org\/client\/alice, serial [0-9A-F]+, valid until 20/);
});
test('an egress certificate serves the egress', () => {
  expect(loadCredentials({ ...files(edge.certPem, edge.keyPem), role: 'egress' }).summary).toContain('CN=edge');
});
test('a certificate for local clients may have no usages, or be signed by itself', () => {
  for (const issued of [edge, newServer(ca, { uses: [] }), ca])
    expect(loadCredentials({ ...files(issued.certPem, issued.keyPem), role: 'server' }).certPem).toBe(issued.certPem);
  expect(complaint({ ...files(alice.certPem, alice.keyPem), role: 'server' })).toContain(
    'is not for servers (its extended key usage lacks serverAuth)',
  );
});
test('certificate and key may be one file', () => {
  const both = files(alice.certPem, alice.certPem + alice.keyPem);
  expect(loadCredentials({ ...both, cert: key }).leaf.subject).toBe('CN=alice');
});
test.each([
  ['a file without PEM', 'x', alice.keyPem, 'is not in PEM form'],
  ['a key in place of the certificate', alice.keyPem, alice.keyPem, 'holds no certificate but a private key'],
  ['a truncated certificate', alice.certPem.slice(0, -9), alice.keyPem, 'cut off or damaged'],
  ['a nonsense certificate', alice.certPem.replace(/\n[^-]+\n/, '\nAAEC\n'), alice.keyPem, 'Certificate 1 in'],
  ['a certificate in place of the key', alice.certPem, alice.certPem, 'holds no private key in PEM form'],
  ['a nonsense key', alice.certPem, alice.keyPem.replace(/\n[^-]+\n/, '\nAAEC\n'), 'does not parse'],
  ['an encrypted key', alice.certPem, encrypted, 'is encrypted: decrypt it'],
  ['the key of another certificate', alice.certPem, edge.keyPem, 'does not belong to the certificate'],
  [
    'a chain with the leaf last',
    ca.certPem + alice.certPem,
    alice.keyPem,
    'but to a later one in it: put that one first',
  ],
  [
    'a server certificate',
    edge.certPem,
    edge.keyPem,
    'is not for clients (its extended key usage lacks clientAuth): issue one with "adit ca issue client NAME"',
  ],
  ['a certificate without usage', ...pair(newClient(ca, { uses: [] })), 'is not for clients'],
  ['a CA', ca.certPem, ca.keyPem, 'is that of a CA'],
  ['an expired certificate', ...pair(newClient(ca, past)), `expired on ${past.to.toISOString().slice(0, 10)}`],
  [
    'a certificate of tomorrow',
    ...pair(newClient(ca, future)),
    `is not valid before ${future.from.toISOString().slice(0, 10)}`,
  ],
] as const)('%s is refused', (_, certPem, keyPem, why) => {
  expect(complaint(files(certPem, keyPem))).toContain(why);
});
test.each([
  [newClient(ca, { ...past, uris: ['spiffe://example.org/client/alice'] }), 'client', 'issue client alice --renew'],
  [newServer(ca, { ...past, uris: ['spiffe://example.org/egress/edge1'] }), 'egress', 'issue egress edge1 --renew'],
  [newServer(ca, { ...past, uris: [] }), 'egress', 'issue egress NAME --renew'],
] as const)(
  'an expired certificate is refused with the command that renews it',
  ({ certPem, keyPem }, role, command) => {
    expect(() => loadCredentials({ ...files(certPem, keyPem), role })).toThrow(
      expect.objectContaining({ code: 'CREDENTIALS_UNUSABLE', advice: `Renew it: adit ca ${command}.` }),
    );
  },
);
test('a client certificate is refused for an egress', () => {
  expect(complaint({ ...files(alice.certPem, alice.keyPem), role: 'egress' })).toContain('lacks serverAuth');
});
test.each([0o644, 0o604, 0o620, 0o666])('a key of mode %o is refused with advice', (mode) => {
  expect(complaint(files(alice.certPem, alice.keyPem, mode))).toContain(`run "chmod 600 ${key}"`);
});
test('a missing file is named', () => {
  expect(complaint({ ...files(alice.certPem, alice.keyPem), key: join(folder, 'absent.key') })).toBe(
    `Cannot read the key ${join(folder, 'absent.key')}: there is no such file.`,
  );
  expect(complaint({ ...files(alice.certPem, alice.keyPem), cert: folder })).toBe(
    `Cannot read the certificate ${folder}: it is a folder.`,
  );
});

function pair({ certPem, keyPem }: { certPem: string; keyPem: string }): [string, string] {
  return [certPem, keyPem];
}

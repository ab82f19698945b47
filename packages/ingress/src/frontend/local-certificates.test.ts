import { writeFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { expect, test } from '@jest/globals';
import { certificates, type KeyPair } from '../../../../test/support/certificates.ts';
import { newServer } from '../../../../test/support/issuer.ts';
import { loadLocalPairs, localCertificates, type LocalCertificates } from './local-certificates.ts';

const files = certificates();
const pairs = [
  ['first', 'first.example.com'],
  ['wild', '*.example.com'],
  ['own', 'own.example.com'],
  ['again', '*.example.com'],
].map(([name, dns]) => files.write(name!, newServer(files.authority, { subject: name!, dns: [dns!] })));
const load = (some: readonly KeyPair[]): LocalCertificates =>
  localCertificates(
    loadLocalPairs(
      some.map(({ cert }) => cert),
      some.map(({ key }) => key),
    ),
  );

/** The subject of the certificate that a context has. */
function subjectOf(context: SecureContext): string {
  return new X509Certificate((context.context as { getCertificate(): Buffer }).getCertificate()).subject;
}

test('a name is shown its own certificate, then one with a wildcard, then the first', () => {
  const choose = load(pairs);
  const subjects = [
    'own.example.com',
    'other.example.com',
    'first.example.com',
    'a.b.example.com',
    'example.org',
    undefined,
  ].map((name) => subjectOf(choose(name)));
  expect(subjects).toEqual(['CN=own', 'CN=wild', 'CN=first', 'CN=first', 'CN=first', 'CN=first']);
});

test('a name in the subject alone is none: no client believes it', () => {
  const choose = load([
    pairs[0]!,
    files.write('subject', newServer(files.authority, { subject: 'subject.example.com', dns: [] })),
  ]);
  expect(subjectOf(choose('subject.example.com'))).toBe('CN=first');
});

test('what cannot be shown stops the start', () => {
  expect(() => load([{ ...pairs[0]!, key: pairs[1]!.key }])).toThrow(
    expect.objectContaining({
      code: 'CREDENTIALS_UNUSABLE',
      message: expect.stringContaining('does not belong to the certificate'),
    }),
  );
  const broken = `${pairs[0]!.cert}.broken`;
  writeFileSync(broken, 'nonsense');
  expect(() => load([pairs[1]!, { ...pairs[0]!, cert: broken }])).toThrow(
    expect.objectContaining({ code: 'CREDENTIALS_UNUSABLE', exitStatus: 3, message: expect.stringContaining(broken) }),
  );
  expect(load([])).toBeInstanceOf(Function);
});

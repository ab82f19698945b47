import { X509Certificate } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { pemBlocks } from '@adit/shared/identity/pem';
import fc from 'fast-check';
import { newCa, newClient } from '../../../../test/support/issuer.ts';
import { createAuthority } from '../authority.ts';
import { createBundle } from '../bundle.ts';
import { newPrivateKey, privateKeyPem } from '../private-key.ts';
import { createRequest } from '../request.ts';
import { createRevocationList } from '../revocation-list.ts';
import { explain } from './show.ts';

const authority = createAuthority();
const key = newPrivateKey();
const texts = {
  certificate: authority.certificatePem,
  key: privateKeyPem(authority.key),
  request: createRequest('a', key),
  list: createRevocationList(authority, { revoked: [], number: 1 }),
  public: new X509Certificate(authority.certificatePem).publicKey.export({ type: 'spki', format: 'pem' }) as string,
};
const titles = {
  certificate: /^certificate of a CA/,
  key: /^private key/,
  request: /^certificate request/,
  list: /^revocation list/,
  public: /^public key/,
} as const;
const kinds = Object.keys(texts) as (keyof typeof texts)[];
const problems = (text: string | Uint8Array): string[] =>
  explain(Buffer.from(text)).flatMap((explanation) => explanation.problems);

test.each(kinds)('a %s is known in PEM and in DER', (kind) => {
  for (const bytes of [Buffer.from(texts[kind]), pemBlocks(texts[kind])![0]!.der]) {
    const [only, more] = explain(bytes, { mode: 0o600 });
    expect(only!.title).toMatch(titles[kind]);
    expect([only!.problems, more]).toEqual([[], undefined]);
  }
});
test('a file of several things is explained in order', () => {
  expect(explain(Buffer.from(texts.certificate + texts.key)).map(({ title }) => title)).toEqual([
    expect.stringMatching(titles.certificate),
    'private key',
  ]);
});
test('a key that does not belong to the certificate beside it is named', () => {
  expect(problems(texts.certificate + privateKeyPem(key))).toEqual([
    'The key does not belong to the first certificate.',
  ]);
});
test('a PKCS#12 file is known', () => {
  const ca = newCa();
  expect(
    explain(createBundle({ key, certificatePem: newClient(ca).certPem, caPem: ca.certPem, name: 'a', password: 'x' })),
  ).toMatchObject([{ title: 'PKCS#12 file', problems: [] }]);
});
test.each([
  ['', 'It holds nothing in PEM or DER form: no certificate, key, request or revocation list.'],
  [texts.certificate.slice(0, 200), 'It is cut off or damaged: a block begins and does not end, or is not base64.'],
  ['-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n', 'It is none of what is explained here.'],
])('a file that cannot be explained says why', (text, why) => {
  expect(problems(text)).toEqual([why]);
});
test('whatever a file holds, there is an answer', () => {
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.nat(), fc.nat(255), fc.boolean(), (kind, where, value, asDer) => {
      const bytes = Buffer.from(asDer ? pemBlocks(texts[kind])![0]!.der : Buffer.from(texts[kind]));
      bytes[where % bytes.length] = value;
      expect(explain(bytes).length).toBeGreaterThan(0);
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(explain(bytes).length).toBeGreaterThan(0);
    }),
  );
});

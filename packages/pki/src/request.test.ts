import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { AditError } from '@adit/shared/errors';
import { pemBlocks } from '@adit/shared/identity/pem';
import fc from 'fast-check';
import { openssl } from '../../../test/support/openssl.ts';
import { temporaryFolder } from '../../../test/support/scope.ts';
import { newPrivateKey, privateKeyPem } from './private-key.ts';
import { createRequest, keyTypeText, readRequest } from './request.ts';
import { publicKeyOf } from './signed.ts';
import { encode } from './asn1.ts';

const folder = temporaryFolder();
const key = newPrivateKey();
const pem = createRequest('alice', key);
const der = pemBlocks(pem)![0]!.der;

test('openssl verifies it', async () => {
  writeFileSync(join(folder, 'a.csr'), pem);
  const text = await openssl(['req', '-verify', '-noout', '-subject', '-in', join(folder, 'a.csr')]);
  expect(text).toContain('verify OK');
  expect(text).toContain('subject=CN = alice');
});
test('it is read from PEM and from DER', () => {
  for (const form of [Buffer.from(pem), der])
    expect(encode(publicKeyOf(readRequest(form, 'a.csr').publicKey))).toEqual(encode(publicKeyOf(key)));
});
test('one that openssl made is read', async () => {
  writeFileSync(join(folder, 'o.key'), privateKeyPem(key));
  await openssl([
    'req',
    '-new',
    '-key',
    join(folder, 'o.key'),
    '-subj',
    '/CN=root/O=x',
    '-addext',
    'subjectAltName=URI:spiffe://example.org/client/root',
    '-out',
    join(folder, 'o.csr'),
  ]);
  expect(readRequest(readFileSync(join(folder, 'o.csr')), 'o.csr').publicKey.asymmetricKeyType).toBe('ec');
});
test('one with any byte changed or cut off is refused with a sentence', () => {
  fc.assert(
    fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, change, cut) => {
      const changed = Buffer.from(cut ? der.subarray(0, at) : der);
      if (!cut) changed[at]! ^= change;
      let refusal: unknown;
      try {
        readRequest(changed, 'a.csr');
      } catch (error) {
        refusal = error;
      }
      expect(refusal).toBeInstanceOf(AditError);
      expect(refusal).toMatchObject({
        code: 'REQUEST_INVALID',
        message: expect.stringMatching(/^The request a\.csr cannot be signed: .*\.$/),
      });
    }),
    { numRuns: 500 },
  );
});
test.each([
  ['RSA', ['rsa:2048'], 'its key is RSA of 2048 bits, and only P-256 keys get certificates'],
  ['Ed25519', ['ed25519'], 'its key is ED25519, and only P-256 keys get certificates'],
  [
    'P-384',
    ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
    'its key is EC on secp384r1, and only P-256 keys get certificates',
  ],
  [
    'P-256 key with its curve spelled out',
    ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-pkeyopt', 'ec_param_enc:explicit'],
    'its key is in a form that peers refuse: its curve is spelled out, or its point compressed',
  ],
])('one of an %s key is refused', async (_, kind, why) => {
  await openssl([
    'req',
    '-new',
    '-newkey',
    ...kind,
    '-nodes',
    '-keyout',
    join(folder, 'k'),
    '-subj',
    '/CN=a',
    '-out',
    join(folder, 'k.csr'),
  ]);
  expect(() => readRequest(readFileSync(join(folder, 'k.csr')), 'k.csr')).toThrow(
    `The request k.csr cannot be signed: ${why}.`,
  );
});
test.each([
  ['nothing', '', 'it is not in PEM or DER form'],
  ['a key', privateKeyPem(key), 'it holds a private key and no request'],
  ['two', pem + pem, 'it holds more than one request'],
  ['half', pem.slice(0, 200), 'it is cut off or damaged'],
  ['too much', 'x'.repeat(70_000), 'it is larger than 65536 bytes'],
])('%s is refused', (_, text, why) => {
  expect(() => readRequest(Buffer.from(text), 'f')).toThrow(`The request f cannot be signed: ${why}.`);
});
test('a request whose key was swapped does not verify', () => {
  const other = pemBlocks(createRequest('alice', newPrivateKey()))![0]!.der;
  const spki = encode(publicKeyOf(key));
  const at = der.indexOf(spki);
  const forged = Buffer.from(other);
  spki.copy(forged, at);
  expect(() => readRequest(forged, 'f')).toThrow('its signature does not verify');
});
test('types of keys have names', () => {
  expect(keyTypeText(key)).toBe('EC on P-256');
  expect(keyTypeText(generateKeyPairSync('ed25519').publicKey)).toBe('ED25519');
});

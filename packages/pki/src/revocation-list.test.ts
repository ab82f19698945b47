import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parseRevocationList } from '@adit/shared/identity/revocation';
import { parseTrustAnchors } from '@adit/shared/identity/trust';
import fc from 'fast-check';
import { openssl } from '../../../test/support/openssl.ts';
import { certificate } from '../../../test/support/issuer.ts';
import { temporaryFolder } from '../../../test/support/scope.ts';
import { encode, integer, pem } from './asn1.ts';
import { createAuthority, issuerName } from './authority.ts';
import { issueLeaf } from './leaf.ts';
import { clientSubject } from './names.ts';
import { newPrivateKey } from './private-key.ts';
import { createRevocationList, parseReason, revocationReasons, type RevocationReason } from './revocation-list.ts';
import { serialBytes, serialText } from './serial.ts';
import { certificateContent, commonName, signed } from './signed.ts';

const folder = temporaryFolder();
const authority = createAuthority({ trustDomain: 'example.org' });
const anchors = parseTrustAnchors(authority.certificatePem, 'ca.crt');
const key = newPrivateKey();
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
/** A certificate of the CA with a serial of our choosing, such as another program may have issued. */
const withSerial = (serial: string): Buffer =>
  signed(
    certificateContent({
      serial,
      issuer: issuerName(authority),
      subject: commonName('x'),
      notBefore: new Date(Date.now() - 1000),
      notAfter: new Date(Date.now() + 1e8),
      publicKey: key,
      extensions: [],
    }),
    authority.key,
  );
const reason = fc.constantFrom(...(Object.keys(revocationReasons) as RevocationReason[]));
const serial = fc
  .uint8Array({ minLength: 1, maxLength: 20 })
  .filter((bytes) => bytes.some((byte) => byte !== 0) && (bytes.length < 20 || bytes[0]! < 0x80))
  .map(serialText);

test('an egress finds every revoked serial in it, whatever its first byte, and no other', () => {
  fc.assert(
    fc.property(fc.uniqueArray(serial, { minLength: 1, maxLength: 8 }), reason, fc.nat(1e6), (serials, why, number) => {
      const [innocent, ...guilty] = serials;
      const list = parseRevocationList(
        Buffer.from(
          createRevocationList(authority, {
            revoked: guilty.map((text) => ({ serial: text, at: new Date('2030-05-06T07:08:09Z'), reason: why })),
            number,
          }),
        ),
        anchors,
      );
      expect(list.size).toBe(guilty.length);
      for (const text of guilty)
        expect(list.isRevoked({ raw: withSerial(text) })?.at).toEqual(new Date('2030-05-06T07:08:09Z'));
      expect(list.isRevoked({ raw: withSerial(innocent!) })).toBeUndefined();
    }),
    { numRuns: 60 },
  );
});
test('a serial that begins with 0x80 or more is revoked for openssl too', async () => {
  const high = file('high.crt', pem('CERTIFICATE', withSerial('80FFEEDDCCBBAA99')));
  const low = file('low.crt', pem('CERTIFICATE', withSerial('7FFFEEDDCCBBAA99')));
  const crl = file(
    'high.crl',
    createRevocationList(authority, {
      revoked: [{ serial: '80FFEEDDCCBBAA99', at: new Date(), reason: 'keyCompromise' }],
      number: 200,
    }),
  );
  const ca = file('ca.crt', authority.certificatePem);
  expect(await openssl(['verify', '-crl_check', '-CRLfile', crl, '-CAfile', ca, high], { code: 2 })).toContain(
    'certificate revoked',
  );
  expect(await openssl(['verify', '-crl_check', '-CRLfile', crl, '-CAfile', ca, low])).toContain('OK');
  expect(encode(integer(serialBytes('80FF'))).toString('hex')).toBe('02030080ff');
});
test('openssl verifies it strictly, with its number, dates and reasons', async () => {
  const ca = file('ca.crt', authority.certificatePem);
  const alice = issueLeaf(authority, clientSubject('alice'), { publicKey: key });
  const bob = issueLeaf(authority, clientSubject('bob'), { publicKey: key });
  const crl = file(
    'a.crl',
    createRevocationList(authority, {
      revoked: [
        { serial: alice.serial, at: new Date(), reason: 'keyCompromise' },
        { serial: '05', at: new Date(), reason: 'unspecified' },
      ],
      number: 129,
    }),
  );
  expect(
    await openssl(
      [
        'verify',
        '-x509_strict',
        '-crl_check',
        '-purpose',
        'sslclient',
        '-CRLfile',
        crl,
        '-CAfile',
        ca,
        file('alice.crt', alice.certificatePem),
      ],
      { code: 2 },
    ),
  ).toContain('certificate revoked');
  expect(
    await openssl([
      'verify',
      '-x509_strict',
      '-crl_check',
      '-purpose',
      'sslclient',
      '-CRLfile',
      crl,
      '-CAfile',
      ca,
      file('bob.crt', bob.certificatePem),
    ]),
  ).toContain('OK');
  const text = await openssl(['crl', '-in', crl, '-CAfile', ca, '-noout', '-text']);
  for (const part of ['verify OK', 'Version 2 (0x1)', 'Key Compromise', 'X509v3 CRL Number: \n                129'])
    expect(text).toContain(part);
  expect(text.match(/CRL Reason Code/g)).toHaveLength(1);
});
test('an empty list is a list', async () => {
  const text = createRevocationList(authority, { revoked: [], number: 1 });
  expect(parseRevocationList(Buffer.from(text), anchors).size).toBe(0);
  expect(await openssl(['crl', '-in', file('e.crl', text), '-noout', '-text'])).toContain('No Revoked Certificates');
});
test('it is out of date when its days are over', () => {
  const now = new Date('2030-01-01T00:00:00Z');
  const list = parseRevocationList(
    Buffer.from(createRevocationList(authority, { revoked: [], number: 1, days: 2, now })),
    anchors,
  );
  expect([list.thisUpdate, list.nextUpdate]).toEqual([
    new Date('2029-12-31T23:55:00Z'),
    new Date('2030-01-03T00:00:00Z'),
  ]);
  expect(() => createRevocationList(authority, { revoked: [], number: 1, days: 0 })).toThrow(
    expect.objectContaining({ code: 'USAGE' }),
  );
});
test('a list of another CA is not taken for it', () => {
  const text = createRevocationList(createAuthority({ trustDomain: 'example.org' }), { revoked: [], number: 1 });
  expect(() => parseRevocationList(Buffer.from(text), anchors)).toThrow('not trusted here');
  expect(
    parseRevocationList(Buffer.from(createRevocationList(authority, { revoked: [], number: 1 })), anchors).covers({
      raw: certificate({}).der,
    }),
  ).toBe(false);
});
test('reasons are read in any spelling of their words', () => {
  for (const text of ['keyCompromise', 'key-compromise', 'KEY_COMPROMISE', 'key compromise'])
    expect(parseReason(text)).toBe('keyCompromise');
  expect(() => parseReason('keyCompromis')).toThrow(
    expect.objectContaining({ code: 'USAGE', message: expect.stringContaining('did you mean keyCompromise?') }),
  );
});

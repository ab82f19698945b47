import { X509Certificate } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { certificate, extension, newCa, newClient, octets, oid, seq, usage } from '../../../../test/support/issuer.ts';
import { extendedKeyUsagesOf, readCertificate, signingUsesOf, uriNamesOf } from './certificate.ts';
import { DerError } from './der.ts';

const ca = newCa();
const alice = newClient(ca);

test('serial and names agree with OpenSSL', () => {
  fc.assert(
    fc.property(fc.bigInt(1n, 2n ** 159n), (number) => {
      const { der } = certificate({ serial: number.toString(16) }, ca);
      expect(readCertificate(der).serial).toBe(new X509Certificate(der).serialNumber);
    }),
    { numRuns: 50 },
  );
  expect(readCertificate(alice.der).issuer).toEqual(readCertificate(ca.der).subject);
});
test('usages and URIs are read', () => {
  const { extensions } = readCertificate(alice.der);
  expect(extendedKeyUsagesOf(extensions)).toEqual([usage.client]);
  expect(uriNamesOf(extensions)).toEqual(['spiffe://example.org/client/alice']);
  expect(extendedKeyUsagesOf(readCertificate(ca.der).extensions)).toBeUndefined();
  expect(uriNamesOf(readCertificate(ca.der).extensions)).toEqual([]);
});
test('a URI keeps every octet, also a NUL and a comma that printed text would turn into another name', () => {
  const uri = 'http://x/\0, URI:spiffe://example.org/client/root\xff';
  expect(uriNamesOf(readCertificate(certificate({ uris: [uri] }, ca).der).extensions)).toEqual([uri]);
});
test('the signing uses of a CA are read from its key usage', () => {
  expect(signingUsesOf(readCertificate(ca.der).extensions)).toEqual({ certificates: true, revocationLists: true });
  expect(signingUsesOf(readCertificate(newCa('x', { ca: { keyUsage: 0x04 } }).der).extensions)).toEqual({
    certificates: true,
    revocationLists: false,
  });
  expect(signingUsesOf(readCertificate(alice.der).extensions)).toEqual({ certificates: true, revocationLists: true });
});
test('an extension that appears twice is refused', () => {
  const twice = certificate(
    { uris: ['spiffe://example.org/client/alice'], extensions: [extension('2.5.29.17', seq())] },
    ca,
  );
  expect(() => readCertificate(twice.der)).toThrow('extension 2.5.29.17 appears twice');
});
test('extensions without their parts are refused', () => {
  expect(() => readCertificate(certificate({ extensions: [seq(oid('1.2.3'))] }, ca).der)).toThrow(DerError);
  expect(() => readCertificate(certificate({ extensions: [seq(oid('1.2.3'), octets(seq()), seq())] }, ca).der)).toThrow(
    DerError,
  );
});
test('a certificate with any byte changed or cut off reads or gives DerError', () => {
  const bytes = Buffer.from(alice.der);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.boolean(), (at, value, cut) => {
      const changed = Buffer.from(cut ? bytes.subarray(0, at) : bytes);
      if (!cut) changed[at] = value;
      try {
        const { extensions } = readCertificate(changed);
        uriNamesOf(extensions);
        extendedKeyUsagesOf(extensions);
        signingUsesOf(extensions);
      } catch (error) {
        expect(error).toBeInstanceOf(DerError);
      }
    }),
    { numRuns: 2000 },
  );
});

import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  day,
  extension,
  integer,
  newCa,
  newClient,
  newCrl,
  pem,
  rawInteger,
  seq,
} from '../../../../test/support/issuer.ts';
import { AditError } from '../errors.ts';
import { type RevocationList, loadRevocationList, parseRevocationList } from './revocation.ts';
import { parseTrustAnchors } from './trust.ts';

const ca = newCa();
const other = newCa('Other CA');
const anchors = parseTrustAnchors(ca.certPem + other.certPem, 'ca.crt');
const alice = newClient(ca);
const aliceLeaf = new X509Certificate(alice.der);
const withAlice = newCrl(ca, { serials: [integer('1234'), integer(aliceLeaf.serialNumber)] });
function complaint(bytes: Uint8Array, trusted = anchors): string {
  try {
    parseRevocationList(bytes, trusted, 'x.crl');
  } catch (error) {
    expect(error).toBeInstanceOf(AditError);
    expect((error as AditError).code).toBe('CONFIG_INVALID');
    return (error as AditError).message;
  }
  throw new Error('accepted');
}
const revoked = (list: RevocationList, serial: string): boolean =>
  list.isRevoked(new X509Certificate(newClient(ca, { serial }).der)) !== undefined;

test('a revoked certificate is found with its reason and date, in PEM and in DER', () => {
  for (const bytes of [withAlice, Buffer.from(pem('X509 CRL', withAlice))]) {
    const list = parseRevocationList(bytes, anchors);
    expect(list.size).toBe(2);
    expect(list.isRevoked(aliceLeaf)).toEqual({ reason: 'key compromise', at: expect.any(Date) });
    expect(list.isRevoked(new X509Certificate(newClient(ca).der))).toBeUndefined();
  }
});
test('the same serial of another CA is not revoked, and not covered either', () => {
  const list = parseRevocationList(withAlice, anchors);
  const namesake = new X509Certificate(newClient(other, { serial: aliceLeaf.serialNumber }).der);
  expect(list.isRevoked(namesake)).toBeUndefined();
  expect(list.covers(namesake)).toBe(false);
  expect(list.covers(aliceLeaf)).toBe(true);
});
test('a file may hold the lists of several CAs, one each', () => {
  const both = pem('X509 CRL', withAlice) + pem('X509 CRL', newCrl(other));
  expect(parseRevocationList(Buffer.from(both), anchors).covers(new X509Certificate(newClient(other).der))).toBe(true);
  expect(complaint(Buffer.from(both + pem('X509 CRL', newCrl(ca))))).toContain('two lists of the same CA');
});
test('an empty list revokes nobody', () => {
  expect(parseRevocationList(newCrl(ca), anchors).isRevoked(aliceLeaf)).toBeUndefined();
});
test('serials match whatever their first byte, as OpenSSL prints them and as DER has them', () => {
  fc.assert(
    fc.property(fc.bigInt(0x80n, 2n ** 159n), (number) => {
      const serial = number.toString(16);
      expect(revoked(parseRevocationList(newCrl(ca, { serials: [integer(serial)] }), anchors), serial)).toBe(true);
    }),
    { numRuns: 30 },
  );
  expect(revoked(parseRevocationList(newCrl(ca, { serials: [integer('80')] }), anchors), '80')).toBe(true);
});
test('a list is stale after nextUpdate', () => {
  const nextUpdate = new Date(Date.now() + day);
  const list = parseRevocationList(newCrl(ca, { nextUpdate }), anchors);
  expect(list.isStale(new Date())).toBe(false);
  expect(list.isStale(new Date(nextUpdate.getTime() + 1))).toBe(true);
});

describe('a list is refused', () => {
  test.each([
    ['that a stranger signed', newCrl(ca, { signer: other.key }), 'its signature does not verify'],
    ['of a CA that is not trusted', newCrl(newCa('Stranger')), 'not trusted here'],
    ['without nextUpdate', newCrl(ca, { nextUpdate: null }), 'no nextUpdate'],
    [
      'with a negative serial, which would revoke nobody',
      newCrl(ca, { serials: [rawInteger('80')] }),
      'serial number is negative',
    ],
    ['that is a delta', newCrl(ca, { extensions: [extension('2.5.29.27', integer('01'), true)] }), 'partial list'],
    ['that is scoped', newCrl(ca, { extensions: [extension('2.5.29.28', seq(), true)] }), 'partial list'],
    [
      'with an unknown critical extension',
      newCrl(ca, { extensions: [extension('1.2.3', seq(), true)] }),
      'critical extension 1.2.3',
    ],
    ['that is empty', Buffer.alloc(0), 'no list in PEM or DER form'],
    ['that is a certificate', Buffer.from(ca.certPem), 'it holds a certificate'],
    ['that is cut off', withAlice.subarray(0, -3), 'ends too early'],
    ['whose PEM is cut off', Buffer.from(pem('X509 CRL', withAlice).slice(0, -9)), 'cut off or damaged'],
  ])('%s', (_, bytes, why) => {
    expect(complaint(bytes)).toContain(why);
  });
  test('of a CA that may not sign lists', () => {
    const weak = newCa('Weak', { ca: { keyUsage: 0x04 } });
    expect(complaint(newCrl(weak), parseTrustAnchors(weak.certPem, 'ca.crt'))).toContain('cRLSign');
  });
  test('whichever byte of it is changed, or wherever it is cut, and never with another error', () => {
    fc.assert(
      fc.property(fc.nat(withAlice.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, flip, cut) => {
        const changed = Buffer.from(cut ? withAlice.subarray(0, at) : withAlice);
        if (!cut) changed[at]! ^= flip;
        complaint(changed);
      }),
      { numRuns: 1500 },
    );
  });
  test('for any other bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        complaint(seq(seq(bytes), bytes));
        complaint(bytes);
      }),
    );
  });
});

test('a file that is not there is named', () => {
  expect(() => loadRevocationList('/nonexistent/x.crl', anchors)).toThrow(
    'Cannot read the revocation list /nonexistent/x.crl: there is no such file.',
  );
  const folder = mkdtempSync(join(tmpdir(), 'adit-'));
  try {
    writeFileSync(join(folder, 'x.crl'), withAlice);
    expect(loadRevocationList(join(folder, 'x.crl'), anchors).size).toBe(2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

import { createPublicKey } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { encode } from './asn1.ts';
import {
  alternativeNames,
  authorityConstraints,
  authorityKey,
  authorityUsage,
  crlNumber,
  keyIdentifier,
  leafConstraints,
  leafUsage,
  nameConstraints,
  purpose,
  subjectKey,
} from './extensions.ts';
import { newPrivateKey } from './private-key.ts';

const hex = (value: Parameters<typeof encode>[0]): string => encode(value).toString('hex');

// Each is SEQUENCE { OID, critical, OCTET STRING }, RFC 5280 section 4.1.
test('a CA: cA TRUE, pathLenConstraint 0, critical; keyCertSign and cRLSign, critical', () => {
  expect(hex(authorityConstraints())).toBe('30120603551d130101ff040830060101ff020100');
  expect(hex(authorityUsage())).toBe('300e0603551d0f0101ff040403020106');
});
test('a leaf: no CA, critical; digitalSignature, critical; one purpose', () => {
  expect(hex(leafConstraints())).toBe('300c0603551d130101ff04023000');
  expect(hex(leafUsage())).toBe('300e0603551d0f0101ff040403020780');
  expect(hex(purpose('clientAuth'))).toBe('30130603551d25040c300a06082b06010505070302');
  expect(hex(purpose('serverAuth'))).toBe('30130603551d25040c300a06082b06010505070301');
});
test('alternative names: DNS [2], IP [7] in 4 or 16 bytes, URI [6]', () => {
  expect(
    hex(
      alternativeNames(
        ['x:y'],
        [
          { kind: 'dns', text: 'a.b' },
          { kind: 'ip', text: '1.2.3.4' },
          { kind: 'ip', text: '::1' },
        ],
      ),
    ),
  ).toBe('302b0603551d1104243022' + '8203612e62' + '870401020304' + `8710${'00'.repeat(15)}01` + '8603783a79');
});
test('name constraints: permitted subtrees, critical', () => {
  expect(hex(nameConstraints({ dns: ['a'], uri: ['b'] }))).toBe(
    '30180603551d1e0101ff040e300ca00a' + '3003820161' + '3003860162',
  );
});
test('key identifiers are 20 bytes and the same for both halves of a key', () => {
  const key = newPrivateKey();
  expect(keyIdentifier(key)).toHaveLength(20);
  expect(keyIdentifier(key).equals(keyIdentifier(createPublicKey(key)))).toBe(true);
  expect(hex(subjectKey(key))).toBe(`301d0603551d0e04160414${keyIdentifier(key).toString('hex')}`);
  expect(hex(authorityKey(keyIdentifier(key)))).toBe(`301f0603551d23041830168014${keyIdentifier(key).toString('hex')}`);
});
test('a list number is a positive integer', () => {
  expect(hex(crlNumber(200))).toBe('300b0603551d140404020200c8');
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { day, newCa, newClient } from '../../../../test/support/issuer.ts';
import { AditError } from '../errors.ts';
import { loadTrustAnchors, parseTrustAnchors } from './trust.ts';

const ca = newCa();
const other = newCa('Other CA');
const complaint = (text: string): string => {
  try {
    parseTrustAnchors(text, 'ca.crt');
  } catch (error) {
    expect(error).toBeInstanceOf(AditError);
    expect((error as AditError).code).toBe('CONFIG_INVALID');
    return (error as AditError).message;
  }
  throw new Error('accepted');
};

test('every CA of a file is read', () => {
  const folder = mkdtempSync(join(tmpdir(), 'adit-'));
  try {
    writeFileSync(join(folder, 'ca.crt'), ca.certPem + other.certPem);
    const anchors = loadTrustAnchors(join(folder, 'ca.crt'));
    expect(anchors.certificates.map((certificate) => certificate.subject)).toEqual(['CN=Test CA', 'CN=Other CA']);
    expect(anchors.pem).toHaveLength(2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
test('a file that is not there is named', () => {
  expect(() => loadTrustAnchors('/nonexistent/ca.crt')).toThrow(
    'Cannot read the CA file /nonexistent/ca.crt: there is no such file.',
  );
});
test.each([
  ['an empty file', '', 'it holds no certificate in PEM form'],
  ['a leaf', newClient(ca).certPem, 'certificate 1 (CN=alice) is not a CA'],
  ['a leaf after a CA', ca.certPem + newClient(ca).certPem, 'certificate 2 (CN=alice) is not a CA'],
  ['a CA that may not sign certificates', newCa('x', { ca: { keyUsage: 0x02 } }).certPem, 'is not a CA'],
  ['a key', ca.certPem + ca.keyPem, 'it holds a private key'],
  ['a damaged block', ca.certPem.slice(0, -10), 'cut off or damaged'],
  [
    'a block of nonsense',
    '-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n',
    'certificate 1 does not parse',
  ],
  [
    'an expired CA',
    newCa('old', { from: new Date(Date.now() - 2 * day), to: new Date(Date.now() - day) }).certPem,
    'it expired on',
  ],
])('%s is refused', (_, text, why) => {
  expect(complaint(text)).toContain(why);
});

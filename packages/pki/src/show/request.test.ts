import { expect, test } from '@jest/globals';
import { pemBlocks } from '@adit/shared/identity/pem';
import { newPrivateKey } from '../private-key.ts';
import { createRequest } from '../request.ts';
import { keyFingerprint } from './key.ts';
import { explainRequest } from './request.ts';
import { createPublicKey } from 'node:crypto';

const key = newPrivateKey();
const { der } = pemBlocks(createRequest('alice', key))![0]!;

test('a request says what it asks for and which key it has', () => {
  expect(explainRequest(der, 'a.csr')).toMatchObject({ title: 'certificate request', problems: [] });
  expect(Object.fromEntries(explainRequest(der, 'a.csr').facts)).toMatchObject({
    'asks for': expect.stringMatching(/^CN=alice /),
    'key SHA-256': keyFingerprint(createPublicKey(key)),
  });
});
test('one that would not be signed says why', () => {
  const forged = Buffer.from(der);
  forged[forged.length - 1]! ^= 1;
  expect(() => explainRequest(forged, 'a.csr')).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
});

import { expect, test } from '@jest/globals';
import { crc32c } from './crc32c.ts';

// RFC 3720 appendix B.4, and the check value of the catalogue of CRCs.
test.each([
  ['nothing', new Uint8Array(0), '00000000'],
  ['"123456789"', new TextEncoder().encode('123456789'), 'e3069283'],
  ['32 zeros', new Uint8Array(32), '8a9136aa'],
  ['32 ones', new Uint8Array(32).fill(0xff), '62a8ab43'],
  ['0 to 31', Uint8Array.from({ length: 32 }, (_, at) => at), '46dd794e'],
])('the checksum of %s is the published one', (_what, bytes, expected) =>
  expect(crc32c(bytes).toString(16).padStart(8, '0')).toBe(expected),
);

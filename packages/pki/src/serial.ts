/**
 * Serial numbers of certificates: unpredictable, positive, and in one spelling.
 * Rule: 16 random bytes whose top bit is clear and which are not zero, so that no encoder can make them negative; shown
 * as upper-case
 *       hex without leading zero bytes, as `X509Certificate.serialNumber` and the egress spell them.
 * Spec: RFC 5280 section 4.1.2.2.
 */
import { randomBytes } from 'node:crypto';

/** A new serial; `random` is a source of bytes, for tests. */
export function newSerial(random: (size: number) => Uint8Array = randomBytes): string {
  for (;;) {
    const bytes = Buffer.from(random(16));
    bytes[0]! &= 0x7f;
    if (bytes.some((byte) => byte !== 0)) return serialText(bytes);
  }
}

/** The one spelling. */
export function serialText(bytes: Uint8Array): string {
  const start = bytes.findIndex((byte) => byte !== 0);
  return Buffer.from(start < 0 ? Uint8Array.of(0) : bytes.subarray(start))
    .toString('hex')
    .toUpperCase();
}

/** The magnitude, big-endian. */
export function serialBytes(serial: string): Buffer {
  return Buffer.from(serial, 'hex');
}

/** What a person typed (colons, any case, leading zeros, 0x) in the one spelling, or undefined when it is no serial. */
export function parseSerial(text: string): string | undefined {
  const digits = text.replace(/^0x/i, '').replaceAll(':', '');
  if (!/^[0-9a-f]{1,40}$/i.test(digits)) return undefined;
  return serialText(Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex'));
}

/**
 * Serial numbers of certificates: unpredictable, positive, and in one spelling.
 * Rule: a serial is 16 random bytes, not zero, with a clear top bit, so that no encoder makes it negative. It is shown
 * as upper-case hex without leading zero bytes, as `X509Certificate.serialNumber` and the egress show it.
 * Spec: RFC 5280 section 4.1.2.2.
 */
import { randomBytes } from 'node:crypto';

/** Makes a serial; `random` is the source of bytes, for tests. */
export function newSerial(random: (size: number) => Uint8Array = randomBytes): string {
  for (;;) {
    const bytes = Buffer.from(random(16));
    bytes[0]! &= 0x7f;
    if (bytes.some((byte) => byte !== 0)) return serialText(bytes);
  }
}

/** Shows a serial in its one spelling. */
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

/** Reads a serial as typed (colons, any case, leading zeros, 0x) into the one spelling; undefined if it is none. */
export function parseSerial(text: string): string | undefined {
  const digits = text.replace(/^0x/i, '').replaceAll(':', '');
  if (!/^[0-9a-f]{1,40}$/i.test(digits)) return undefined;
  return serialText(Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex'));
}

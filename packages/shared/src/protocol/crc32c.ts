/**
 * CRC-32C (Castagnoli; RFC 9260 appendix A), the checksum that a PROXY protocol header of version 2 may carry.
 * Rule: it detects damage, not intent: a correct checksum makes nothing trusted.
 * Not here: where in a header it stands (proxy-protocol.ts).
 */

const reversedPolynomial = 0x82f6_3b78;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ reversedPolynomial;
  return crc;
});

/** The checksum as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffff_ffff) >>> 0;
}

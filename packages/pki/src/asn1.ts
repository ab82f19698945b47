/**
 * Writes ASN.1 values under the names that the specifications give them (X.680, X.690). node-forge holds and encodes
 * them.
 * Rule: every INTEGER is positive, whatever its first byte. A serial of 0x80... written as it is would be negative, and
 * a negative serial in a revocation list revokes nothing. Times are UTCTime up to 2049 and GeneralizedTime after that
 * (RFC 5280 section 4.1.2.5).
 * Not here: reading what others wrote. @adit/shared does that, strictly.
 */
import forge from 'node-forge';

export type Asn1 = forge.asn1.Asn1;

const { Class, Type, create, fromDer, toDer, oidToDer } = forge.asn1;
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const primitive = (type: forge.asn1.Type, bytes: Uint8Array): Asn1 =>
  create(Class.UNIVERSAL, type, false, latin1(bytes));

export function sequence(...items: readonly Asn1[]): Asn1 {
  return create(Class.UNIVERSAL, Type.SEQUENCE, true, [...items]);
}
export function set(...items: readonly Asn1[]): Asn1 {
  return create(Class.UNIVERSAL, Type.SET, true, [...items]);
}

/** From the dotted form. */
export function oid(dotted: string): Asn1 {
  return create(Class.UNIVERSAL, Type.OID, false, oidToDer(dotted).getBytes());
}

/** A positive INTEGER from its magnitude, big-endian. */
export function integer(magnitude: Uint8Array): Asn1 {
  return primitive(Type.INTEGER, minimal(magnitude));
}

/** An INTEGER from a number of 0 or more. */
export function smallInteger(value: number): Asn1 {
  const hex = value.toString(16);
  return integer(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex'));
}

export function enumerated(value: number): Asn1 {
  return primitive(Type.ENUMERATED, Uint8Array.of(value));
}
export function octetString(bytes: Uint8Array): Asn1 {
  return primitive(Type.OCTETSTRING, bytes);
}
export function nothing(): Asn1 {
  return primitive(Type.NULL, new Uint8Array());
}

/** TRUE. FALSE is always the default, and DER omits defaults. */
export function yes(): Asn1 {
  return primitive(Type.BOOLEAN, Uint8Array.of(0xff));
}

/** `unused`: how many bits at the end of the last byte are not part of the string. */
export function bitString(bytes: Uint8Array, unused = 0): Asn1 {
  return primitive(Type.BITSTRING, Buffer.concat([Uint8Array.of(unused), bytes]));
}
export function utf8String(text: string): Asn1 {
  return primitive(Type.UTF8, Buffer.from(text));
}

/** Takes plain text: node-forge encodes it as UTF-16. */
export function bmpString(text: string): Asn1 {
  return create(Class.UNIVERSAL, Type.BMPSTRING, false, text);
}

/** In whole seconds; a fraction is cut off. */
export function time(date: Date): Asn1 {
  const digits = `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
  return date.getUTCFullYear() < 2050
    ? primitive(Type.UTCTIME, Buffer.from(digits.slice(2)))
    : primitive(Type.GENERALIZEDTIME, Buffer.from(digits));
}

/** `[n]` around whole values: EXPLICIT, or IMPLICIT of a structure. */
export function tagged(n: number, ...items: readonly Asn1[]): Asn1 {
  return create(Class.CONTEXT_SPECIFIC, n, true, [...items]);
}

/** `[n] IMPLICIT` of a string. */
export function taggedString(n: number, content: Uint8Array): Asn1 {
  return create(Class.CONTEXT_SPECIFIC, n, false, latin1(content));
}

/** A value that is DER already (a public key, a name), kept byte for byte. */
export function existing(der: Uint8Array): Asn1 {
  return fromDer(latin1(der), { strict: true, parseAllBytes: true, decodeBitStrings: false } as never);
}

export function encode(value: Asn1): Buffer {
  return Buffer.from(toDer(value).getBytes(), 'latin1');
}

/** DER as PEM (RFC 7468). */
export function pem(label: string, der: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${Buffer.from(der)
    .toString('base64')
    .replace(/(.{64})(?=.)/g, '$1\n')}\n-----END ${label}-----\n`;
}

/** Content octets of a non-negative INTEGER: no leading zeros, except one where the sign bit would be set. */
function minimal(magnitude: Uint8Array): Uint8Array {
  const start = magnitude.findIndex((byte) => byte !== 0);
  if (start < 0) return Uint8Array.of(0);
  const digits = magnitude.subarray(start);
  return digits[0]! >= 0x80 ? Buffer.concat([Uint8Array.of(0), digits]) : digits;
}

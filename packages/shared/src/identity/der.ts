/**
 * DER, read strictly: one element at a time, over views of the input (X.690 sections 8 and 10).
 * Rule: throws DerError or returns; never recurses, never copies, never reads outside of the input; work is linear in
 * its length. Indefinite lengths, lengths longer than needed, tags above 30 and trailing bytes are refused.
 * Not here: what the elements mean (certificate.ts, revocation.ts), and writing.
 */

/**
 * The input is not DER of the expected shape; `message` says which part. Callers turn it into their own refusal.
 */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/**
 * One element: `tag` is the identifier octet, `whole` is tag, length and content, `content` the content alone. Both
 * are views.
 */
export interface DerElement {
  readonly tag: number;
  readonly whole: Uint8Array;
  readonly content: Uint8Array;
}

/** The identifier octets in use; `context(n)` makes those of the context class. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;

/** `[n]` of the context class; `constructed` for explicit tagging and for structures. */
export function context(n: number, constructed: boolean): number {
  return (constructed ? 0xa0 : 0x80) | n;
}

/** The one element in `bytes`; bytes after it are refused. */
export function readDer(bytes: Uint8Array, what: string): DerElement {
  const element = elementAt(bytes, 0, what);
  if (element.whole.length !== bytes.length) throw new DerError(`${what} has bytes after its end`);
  return element;
}

/** The elements inside a constructed one, in order. */
export function childrenOf(parent: DerElement, what: string): DerElement[] {
  if ((parent.tag & 0x20) === 0) throw new DerError(`${what} is not a structure`);
  const children: DerElement[] = [];
  for (let at = 0; at < parent.content.length;) {
    const child = elementAt(parent.content, at, what);
    children.push(child);
    at += child.whole.length;
  }
  return children;
}

/** Returns `element` if it is present and has this tag; otherwise throws. */
export function expectTag(element: DerElement | undefined, tag: number, what: string): DerElement {
  if (element?.tag !== tag)
    throw new DerError(element === undefined ? `${what} is missing` : `${what} has an unexpected type`);
  return element;
}

/**
 * A serial number: a positive INTEGER of at most 20 bytes, as upper-case hex without leading zero bytes ("00" for zero;
 * RFC 5280 section 4.1.2.2).
 */
export function serialOf(element: DerElement | undefined): string {
  const { content } = expectTag(element, tags.integer, 'serial number');
  const [first, second] = content;
  if (first === undefined) throw new DerError('serial number is empty');
  if (first >= 0x80) throw new DerError('serial number is negative');
  if (first === 0 && second !== undefined && second < 0x80) throw new DerError('serial number has superfluous zeros');
  if (content.length > 21) throw new DerError('serial number is too long');
  const digits = content.length > 1 && first === 0 ? content.subarray(1) : content;
  return Buffer.from(digits).toString('hex').toUpperCase();
}

/** A non-negative INTEGER or ENUMERATED below 2^31. */
export function smallNumberOf(element: DerElement | undefined, tag: number, what: string): number {
  const { content } = expectTag(element, tag, what);
  if (content.length === 0 || content.length > 4 || content[0]! >= 0x80) throw new DerError(`${what} is out of range`);
  return content.reduce((value, byte) => value * 256 + byte, 0);
}

/** An OBJECT IDENTIFIER in dotted form; arcs above 2^48 are refused. */
export function oidOf(element: DerElement | undefined, what: string): string {
  const { content } = expectTag(element, tags.oid, what);
  const arcs: number[] = [];
  let arc = 0;
  for (const [index, byte] of content.entries()) {
    if (arc === 0 && byte === 0x80) throw new DerError(`${what} is a malformed identifier`);
    arc = arc * 128 + (byte & 0x7f);
    if (arc > 2 ** 48 || index > 64) throw new DerError(`${what} is too long an identifier`);
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const [first] = arcs;
  if (first === undefined || content.at(-1)! >= 0x80) throw new DerError(`${what} is a malformed identifier`);
  const top = Math.min(2, Math.floor(first / 40));
  return [top, first - top * 40, ...arcs.slice(1)].join('.');
}

/** A BOOLEAN: DER allows only 00 and FF. */
export function booleanOf(element: DerElement, what: string): boolean {
  const { content } = expectTag(element, tags.boolean, what);
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff))
    throw new DerError(`${what} is a malformed truth value`);
  return content[0] === 0xff;
}

/** The octets of a BIT STRING of whole bytes (signatures); with `anyLength`, unused bits are allowed (key usage). */
export function bitsOf(element: DerElement | undefined, what: string, anyLength = false): Uint8Array {
  const { content } = expectTag(element, tags.bitString, what);
  const unused = content[0];
  if (unused === undefined || unused > 7 || (unused > 0 && (!anyLength || content.length === 1)))
    throw new DerError(`${what} is a malformed bit string`);
  return content.subarray(1);
}

/**
 * A UTCTime (`YYMMDDHHMMSSZ`, 1950 to 2049) or GeneralizedTime (`YYYYMMDDHHMMSSZ`) in the forms of RFC 5280 section
 * 4.1.2.5.
 */
export function timeOf(element: DerElement | undefined, what: string): Date {
  if (element === undefined || (element.tag !== tags.utcTime && element.tag !== tags.generalizedTime))
    throw new DerError(`${what} is not a time`);
  const text = Buffer.from(element.content.subarray(0, 16)).toString('latin1');
  const full = element.tag === tags.generalizedTime ? text : `${Number(text.slice(0, 2)) >= 50 ? '19' : '20'}${text}`;
  const iso = full.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6.000Z');
  const date = new Date(iso);
  // The round trip refuses 31 February and other text that `Date` would guess at.
  if (Number.isNaN(date.getTime()) || date.toISOString() !== iso) throw new DerError(`${what} is a malformed time`);
  return date;
}

function elementAt(bytes: Uint8Array, at: number, what: string): DerElement {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw new DerError(`${what} ends too early`);
  if ((tag & 0x1f) === 0x1f) throw new DerError(`${what} has an unknown type`);
  let start = at + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new DerError(`${what} has a malformed length`);
    length = 0;
    for (; start < at + 2 + count; start++) {
      const byte = bytes[start];
      if (byte === undefined) throw new DerError(`${what} ends too early`);
      length = length * 256 + byte;
    }
    if (length < 0x80 || length < 256 ** (count - 1)) throw new DerError(`${what} has a malformed length`);
  }
  if (start + length > bytes.length) throw new DerError(`${what} ends too early`);
  return { tag, whole: bytes.subarray(at, start + length), content: bytes.subarray(start, start + length) };
}

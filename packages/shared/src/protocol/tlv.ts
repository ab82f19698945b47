/**
 * Type-length-value lists, as in OPEN, OPEN_OK, HELLO and WELCOME.
 * Byte shape: TYPE(2) LENGTH(2) VALUE(LENGTH), repeated.
 * Rule: a type from 0x8000 on is critical: a reader that does not know it refuses. Any other unknown type is skipped.
 * No type comes twice.
 */
import { concat, putU16, u16 } from './bytes.ts';
import { ProtocolFault, wireCode } from './refusal.ts';

export const critical = 0x8000;

export function encodeTlvs(entries: Iterable<readonly [type: number, value: Uint8Array]>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [type, value] of entries) {
    const head = new Uint8Array(4);
    putU16(head, 0, type);
    putU16(head, 2, value.length);
    parts.push(head, value);
  }
  return concat(parts);
}

/** The entries by type. Throws ProtocolFault if a length runs over the end or a type comes twice. */
export function decodeTlvs(bytes: Uint8Array): Map<number, Uint8Array> {
  const entries = new Map<number, Uint8Array>();
  for (let at = 0; at < bytes.length;) {
    if (at + 4 > bytes.length) throw new ProtocolFault(wireCode.protocolError, 'a TLV that is cut short');
    const type = u16(bytes, at);
    const end = at + 4 + u16(bytes, at + 2);
    if (end > bytes.length)
      throw new ProtocolFault(wireCode.protocolError, `TLV ${type.toString(16)} runs over the end`);
    if (entries.has(type)) throw new ProtocolFault(wireCode.protocolError, `TLV ${type.toString(16)} comes twice`);
    entries.set(type, bytes.subarray(at + 4, end));
    at = end;
  }
  return entries;
}

/**
 * Type-length-value lists, as in OPEN, OPEN_OK, HELLO and WELCOME.
 * Byte shape: TYPE(2) LENGTH(2) VALUE(LENGTH), repeated.
 * Rule: a type from 0x8000 on is critical: a reader that does not know it refuses. Any other unknown type is skipped.
 * No type comes twice.
 */
import { putU16, u16 } from './bytes.ts';
import { ProtocolFault, wireCode } from './refusal.ts';

export const critical = 0x8000;

export function encodeTlvs(entries: readonly (readonly [type: number, value: Uint8Array])[]): Uint8Array {
  let length = 0;
  for (const [, value] of entries) length += 4 + value.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const [type, value] of entries) {
    putU16(bytes, at, type);
    putU16(bytes, at + 2, value.length);
    bytes.set(value, at + 4);
    at += 4 + value.length;
  }
  return bytes;
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

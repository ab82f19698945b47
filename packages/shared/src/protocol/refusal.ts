/**
 * The wire form of a refusal, and the error that the protocol throws when a peer breaks it.
 * Rule: a code is a u16 of the one table (errors.ts maps it). The reason is at most 256 bytes of UTF-8 and holds no
 * secret.
 * Byte shape: OPEN_ERR, RESET: CODE(2) REASON(0..256). CLOSE: CODE(2) RESUMABLE(1) REASON(0..256). REFUSE: CODE(2)
 * RETRY_AFTER_MS(4) REASON(0..256).
 */
import { concat, putU16, putU32, text, u16, u32, utf8AtMost } from './bytes.ts';

/** Codes that the protocol raises itself; every other one is passed through as a number. */
export const wireCode = {
  noError: 0,
  protocolError: 1,
  internal: 2,
  flowControl: 3,
  excessive: 4,
  limitStreams: 27,
  draining: 53,
} as const;

export const maxReasonBytes = 256;

/** A peer broke the protocol. The session ends with CLOSE(code, message). */
export class ProtocolFault extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export interface WireRefusal {
  readonly code: number;
  readonly reason: string;
}
export interface Close extends WireRefusal {
  readonly resumable: boolean;
}
export interface Refuse extends WireRefusal {
  readonly retryAfterMs: number;
}

export function encodeRefusal({ code, reason }: WireRefusal): Uint8Array {
  const head = new Uint8Array(2);
  putU16(head, 0, code);
  return concat([head, utf8AtMost(reason, maxReasonBytes)]);
}

export function decodeRefusal(payload: Uint8Array): WireRefusal {
  return { code: u16(checked(payload, 2, 'a refusal'), 0), reason: text(payload.subarray(2)) };
}

export function encodeClose({ code, reason, resumable }: Close): Uint8Array {
  const head = new Uint8Array(3);
  putU16(head, 0, code);
  head[2] = resumable ? 1 : 0;
  return concat([head, utf8AtMost(reason, maxReasonBytes)]);
}

export function decodeClose(payload: Uint8Array): Close {
  checked(payload, 3, 'CLOSE');
  return { code: u16(payload, 0), resumable: payload[2] === 1, reason: text(payload.subarray(3)) };
}

export function encodeRefuse({ code, reason, retryAfterMs }: Refuse): Uint8Array {
  const head = new Uint8Array(6);
  putU16(head, 0, code);
  putU32(head, 2, retryAfterMs);
  return concat([head, utf8AtMost(reason, maxReasonBytes)]);
}

export function decodeRefuse(payload: Uint8Array): Refuse {
  checked(payload, 6, 'REFUSE');
  return { code: u16(payload, 0), retryAfterMs: u32(payload, 2), reason: text(payload.subarray(6)) };
}

function checked(payload: Uint8Array, head: number, what: string): Uint8Array {
  if (payload.length < head || payload.length > head + maxReasonBytes)
    throw new ProtocolFault(wireCode.protocolError, `${what} of ${payload.length} bytes`);
  return payload;
}

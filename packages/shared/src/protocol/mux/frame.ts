/**
 * The frame header, and the types and limits of frames.
 * Byte shape: TYPE(1) LENGTH(3, of the payload) STREAM(4), then the payload; big endian.
 * Rule: a type below 0x80 is sequenced: header and payload count in the lane's offset and are replayed after a drop. A
 * type from 0x80 on is unsequenced: it is not counted, never replayed, and sent at a frame boundary only. This keeps
 * acks free of deadlock.
 * Spec: docs/protocol.md section 3.2.
 */
import { putU24, putU32 } from '../bytes.ts';

export const frameType = {
  data: 0x00,
  open: 0x01,
  openOk: 0x02,
  openErr: 0x03,
  window: 0x04,
  fin: 0x05,
  reset: 0x06,
  laneClose: 0x07,
  goaway: 0x09,
  ack: 0x80,
  ping: 0x81,
  pong: 0x82,
  close: 0x83,
  hello: 0xc0,
  welcome: 0xc1,
  refuse: 0xc2,
} as const;

/** The size of a frame header. A read buffer keeps this much room before the bytes that are read. */
export const headerBytes = 8;
/** The largest DATA payload: header and payload fill one 64 KiB read buffer. */
export const maxDataBytes = 65_528;
/** The largest payload of every other frame. */
export const maxControlBytes = 16_384;

/** The most lanes that a session may have, with lane 0: LANES in WELCOME. */
export const maxLanes = 8;

/**
 * How much a peer may send in unsequenced frames of unknown types, which are skipped: bytes, where each frame counts
 * its payload and `overheadBytes`. Beyond it the session ends with EXCESSIVE. A newer version that needs more agrees
 * on it by FEATURES.
 */
export const unknownFrames = { burst: 1_048_576, perSecond: 65_536, overheadBytes: 64 } as const;

export function isSequenced(type: number): boolean {
  return type < 0x80;
}

/** Writes the header of a frame at `at`. */
export function putHeader(
  bytes: Uint8Array,
  at: number,
  frame: { readonly type: number; readonly length: number; readonly streamId: number },
): void {
  bytes[at] = frame.type;
  putU24(bytes, at + 1, frame.length);
  putU32(bytes, at + 4, frame.streamId);
}

/** Writes a DATA header: as `putHeader`, without an object on the hot path. */
export function putDataHeader(bytes: Uint8Array, length: number, streamId: number): void {
  bytes[0] = frameType.data;
  putU24(bytes, 1, length);
  putU32(bytes, 4, streamId);
}

/** A whole small frame as bytes of its own. */
export function encodeFrame(type: number, streamId: number, payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(headerBytes + payload.length);
  putHeader(out, 0, { type, length: payload.length, streamId });
  out.set(payload, headerBytes);
  return out;
}

import { expect, test } from '@jest/globals';
import { encodeFrame, frameType, isSequenced, putDataHeader } from './frame.ts';

test('the header is TYPE(1) LENGTH(3) STREAM(4), big endian', () => {
  expect(Buffer.from(encodeFrame(frameType.reset, 0x01020304, Uint8Array.of(0xaa, 0xbb))).toString('hex')).toBe(
    '0600000201020304aabb',
  );
  const header = new Uint8Array(8);
  putDataHeader(header, 0x00fff8, 0xfffffff1);
  expect(Buffer.from(header).toString('hex')).toBe('0000fff8fffffff1');
});

test('ACK, PING, PONG and CLOSE are not counted and not replayed; everything about streams is', () => {
  for (const type of [frameType.ack, frameType.ping, frameType.pong, frameType.close])
    expect(isSequenced(type)).toBe(false);
  for (const type of [
    frameType.data,
    frameType.open,
    frameType.openOk,
    frameType.openErr,
    frameType.window,
    frameType.fin,
    frameType.reset,
    frameType.goaway,
  ])
    expect(isSequenced(type)).toBe(true);
});

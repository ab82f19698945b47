import { duplexPair } from 'node:stream';
import { expect, test } from '@jest/globals';
import { firstByte } from './first-byte.ts';

test('the first byte is told and put back, and the rest waits', async () => {
  const [near, far] = duplexPair();
  far.write(Buffer.from([0x16, 0x03]));
  expect(await firstByte(near)).toBe(0x16);
  expect(near.isPaused()).toBe(true);
  far.end(Buffer.from([0x01]));
  expect(Buffer.concat((await near.toArray()) as Buffer[])).toEqual(Buffer.from([0x16, 0x03, 0x01]));
});

test.each([
  ['ends', (near: NodeJS.WritableStream): unknown => near.end()],
  ['is destroyed', (_near: NodeJS.WritableStream, far: { destroy(): unknown }): unknown => far.destroy()],
])('a connection that %s before has none', async (_how, leave) => {
  const [near, far] = duplexPair();
  const first = firstByte(near);
  leave(far, near);
  expect(await first).toBeUndefined();
});

test('a connection that is gone already has none', async () => {
  const [near] = duplexPair();
  near.destroy();
  expect(await firstByte(near)).toBeUndefined();
});

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { certificates } from '../../../../test/support/certificates.ts';
import { tlsPairs } from '../../../../test/support/tls-pair.ts';
import { GatheredPushes, gatherPushes } from './gathered-pushes.ts';

/** A readable whose pushes are gathered, and whose reader says what it took. */
function make(highWaterMark = 65_536) {
  const readable = new Readable({
    highWaterMark,
    read: () => {
      /* pushed by the test */
    },
  });
  const pieces: Uint8Array[] = [];
  const pushes = new GatheredPushes(readable, (bytes) => {
    pieces.push(bytes);
    return readable.push(bytes);
  });
  const got: Buffer[] = [];
  const read = (): void => {
    readable.on('data', (chunk: Buffer) => {
      got.push(chunk);
      pushes.taken();
    });
  };
  return { readable, pushes, pieces, got, read };
}

test('passes pieces on at once while they are read', async () => {
  const { pushes, got, read, readable } = make();
  read();
  await new Promise(setImmediate);
  const whole = new Uint8Array(16_384);

  pushes.push(Buffer.from('a'));
  pushes.push(whole);

  expect(got.map(({ length }) => length)).toEqual([1, 16_384]);
  expect(got[1]!.buffer).toBe(whole.buffer);
  expect(readable.readableLength + pushes.waiting).toBe(0);
});

test('small pieces that nobody reads become few, and are read when the time comes', async () => {
  const { readable, pushes, pieces, got, read } = make();

  for (let n = 0; n < 50_000; n++) pushes.push(Uint8Array.of(n));

  expect(readable.readableLength + pushes.waiting).toBe(50_000);
  expect(pieces.length).toBeLessThan(6);
  read();
  await new Promise(setImmediate);
  expect(Buffer.concat(got).every((byte, at) => byte === at % 256)).toBe(true);
  expect(Buffer.concat(got)).toHaveLength(50_000);
});

test('says when there is enough, counting what was gathered', () => {
  const { pushes } = make(100);
  const more = Array.from({ length: 101 }, () => pushes.push(Uint8Array.of(1)));

  expect(more.indexOf(false)).toBe(99);
});

test('any pieces, paused and read at any time, arrive exact and end', async () => {
  const step = fc.oneof(fc.integer({ min: 1, max: 9_000 }), fc.constantFrom('pause' as const, 'resume' as const));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { readable, pushes, got, read } = make();
      const given: Buffer[] = [];
      read();
      for (const [at, what] of steps.entries()) {
        if (what === 'pause') readable.pause();
        else if (what === 'resume') {
          readable.resume();
          await new Promise(setImmediate);
        } else {
          given.push(Buffer.alloc(what, at));
          pushes.push(given.at(-1)!);
        }
      }
      const ended = new Promise((resolve) => readable.once('end', resolve));
      pushes.flush();
      readable.push(null);
      readable.resume();
      await ended;

      expect(Buffer.compare(Buffer.concat(got), Buffer.concat(given))).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test('gathers what a TLS connection of one-byte records brings while it is paused', async () => {
  const { client, server } = await (await tlsPairs(certificates()))();
  const [near, far] = [client.duplex, server.duplex];
  const pushes = gatherPushes(far);
  const chunks: Buffer[] = [];
  far.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    pushes.taken();
  });
  far.pause();
  const sent = randomBytes(20_000);

  for (const byte of sent) near.write(Uint8Array.of(byte));
  while (far.readableLength + pushes.waiting < sent.length) await new Promise(setImmediate);
  far.resume();
  near.end();
  await once(far, 'end');

  expect(Buffer.compare(Buffer.concat(chunks), sent)).toBe(0);
  expect(chunks.length).toBeLessThan(10);
});

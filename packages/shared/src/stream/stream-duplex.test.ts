import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MuxPair } from '../../../../test/support/mux-pair.ts';
import type { MuxStream } from '../protocol/mux/stream.ts';
import type { RelayOutcome } from './relay.ts';
import { StreamDuplex } from './stream-duplex.ts';

/**
 * A duplex at the client's end of a pair of sessions; the other end is driven by hand, and `pump` moves what lies
 * between.
 */
function streamed(): { duplex: StreamDuplex; far: MuxStream; pump(): void; opened: string[]; ended: RelayOutcome[] } {
  const pair = new MuxPair();
  const seen = pair.open();
  const opened: string[] = [];
  const ended: RelayOutcome[] = [];
  const duplex = new StreamDuplex(seen.stream, {
    opened: () => opened.push('yes'),
    ended: (outcome) => ended.push(outcome),
  });
  pair.streams.client.delete(seen.stream.id);
  pair.flush('client');
  pair.deliver('client');
  const far = pair.streams.server.get(1)!.stream;
  far.events = { opened() {}, refused() {}, data() {}, end() {}, reset() {}, writable() {} };
  const pump = (): void => {
    for (const side of ['client', 'server'] as const) {
      pair.flush(side);
      pair.deliver(side);
    }
  };
  return { duplex, far, pump, opened, ended };
}

/** Lets both ends work until it is so. */
async function until(pump: () => void, so: () => boolean): Promise<void> {
  while (!so()) {
    await new Promise(setImmediate);
    pump();
  }
}

test('carries bytes both ways, and ends once when both halves did', async () => {
  const { duplex, far, pump, opened, ended } = streamed();
  const got: Buffer[] = [];
  let finished = false;
  far.events = {
    ...far.events,
    data: (bytes) => {
      got.push(Buffer.from(bytes));
      far.accepted(far.bytesReceived);
    },
    end: () => {
      finished = true;
    },
  };
  far.accept(new Uint8Array(0));
  const up = randomBytes(3 << 20);
  const back: Buffer[] = [];
  duplex.on('data', (chunk: Buffer) => back.push(chunk)).end(up);
  await until(pump, () => finished);
  expect(opened).toEqual(['yes']);
  expect(Buffer.concat(got).equals(up)).toBe(true);
  expect(ended).toEqual([]);
  far.sendCopy(Buffer.from('answer'));
  far.finish();
  await until(pump, () => ended.length > 0);
  await once(duplex, 'close');
  expect(Buffer.concat(back).toString()).toBe('answer');
  expect(ended).toMatchObject([{ end: 'finished', bytesSent: up.length, bytesReceived: 6 }]);
});

test(
  'whatever a reader takes is credited, also when nothing comes after it: the far end never waits for a reader ' +
    'that waits for it',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 65_536 }), { minLength: 1, maxLength: 30 }),
        fc.array(fc.boolean(), { maxLength: 60 }),
        async (sizes, taking) => {
          const { duplex, far, pump } = streamed();
          let took = 0;
          duplex
            .on('data', (chunk: Buffer) => {
              took += chunk.length;
            })
            .pause();
          let at = 0;
          let sent = 0;
          const send = (): void => {
            while (at < sizes.length * 8 && far.canSend()) {
              const size = sizes[at++ % sizes.length]!;
              far.sendView(Buffer.alloc(size));
              sent += size;
            }
          };
          far.events = { ...far.events, writable: send };
          send();
          for (const take of taking) {
            if (take) duplex.once('data', () => duplex.pause()).resume();
            await new Promise(setImmediate);
            pump();
          }
          duplex.resume();
          for (let turn = 0; turn < 200; turn++) {
            await new Promise(setImmediate);
            pump();
          }
          expect([at, took]).toEqual([sizes.length * 8, sent]);
        },
      ),
      { numRuns: 40 },
    );
  },
);

test('one write that is larger than the credit waits for more of it', async () => {
  const { duplex, far, pump } = streamed();
  far.accept(new Uint8Array(0));
  let taken = false;
  duplex.write(Buffer.alloc(16 << 20), () => {
    taken = true;
  });
  for (let turn = 0; turn < 50; turn++) {
    await new Promise(setImmediate);
    pump();
  }
  expect(taken).toBe(false);
  expect(far.bytesReceived).toBeLessThan(16 << 20);
  far.events = {
    ...far.events,
    data: () => {
      far.accepted(far.bytesReceived);
    },
  };
  far.accepted(far.bytesReceived);
  await until(pump, () => taken);
  await until(pump, () => far.bytesReceived === 16 << 20);
});

test('what nobody reads is not credited, so that the far end waits', async () => {
  const { duplex, far, pump } = streamed();
  let sent = 0;
  const send = (): void => {
    while (far.canSend()) {
      far.sendView(Buffer.alloc(16_384));
      sent += 16_384;
    }
  };
  for (let turn = 0; turn < 100; turn++) {
    send();
    await new Promise(setImmediate);
    pump();
  }
  const before = sent;
  expect(before).toBeLessThan(1 << 21);
  duplex.resume();
  await until(
    () => {
      send();
      pump();
    },
    () => sent > before + (1 << 21),
  );
});

test('a reset and a refusal of the far end are errors with its code', async () => {
  for (const [how, code] of [
    ['refuse', 'CONNECTION_REFUSED'],
    ['reset', 'CONNECTION_RESET'],
  ] as const) {
    const { duplex, far, pump, ended } = streamed();
    const failed = once(duplex, 'error');
    far[how]({ code: how === 'refuse' ? 20 : 24, reason: 'a test' });
    await until(pump, () => ended.length > 0);
    expect((await failed)[0]).toMatchObject({ code, message: 'a test' });
    expect(ended).toMatchObject([{ end: how === 'refuse' ? 'refused' : 'reset', reason: 'a test' }]);
  }
});

test('destroyed before its end, or aborted, it resets the stream', async () => {
  for (const cut of [
    (duplex: StreamDuplex) => duplex.destroy(),
    (duplex: StreamDuplex) => duplex.abort('IDLE_TIMEOUT', 'a test'),
  ]) {
    const { duplex, far, pump, ended } = streamed();
    const told: number[] = [];
    far.events = { ...far.events, reset: ({ code }) => told.push(code) };
    cut(duplex);
    await until(pump, () => told.length > 0);
    expect(ended).toHaveLength(1);
    expect(ended[0]).toMatchObject({ end: 'reset' });
  }
});

test('one-byte pieces that nobody reads wait in few', async () => {
  const { duplex, far, pump } = streamed();
  const sent = randomBytes(100_000);
  for (const [at] of sent.entries()) {
    far.sendView(sent.subarray(at, at + 1));
    if (at % 1_000 === 0) pump();
  }
  pump();

  const got: Buffer[] = [];
  duplex.on('data', (chunk: Buffer) => got.push(chunk));
  far.finish();
  await until(pump, () => duplex.readableEnded);

  expect(Buffer.compare(Buffer.concat(got), sent)).toBe(0);
  expect(got.length).toBeLessThan(12);
});

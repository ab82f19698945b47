import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { PeerEnd } from '../net/peer-end.ts';
import type { StreamEvents } from '../protocol/mux/stream.ts';
import { ConnectionStream } from './connection-stream.ts';

/** A duplex whose far side is this test: what was written waits until it is taken. */
class Far extends Duplex {
  readonly written: Buffer[] = [];
  readonly #taking: (() => void)[] = [];
  wantsMore = false;
  constructor() {
    super({ allowHalfOpen: true });
  }
  override _read(): void {
    this.wantsMore = true;
  }
  override _write(chunk: Buffer, _encoding: string, taken: () => void): void {
    this.written.push(Buffer.from(chunk));
    this.#taking.push(taken);
  }
  override _final(done: () => void): void {
    this.#taking.push(done);
  }
  say(bytes: Buffer | null): void {
    this.push(bytes);
  }
  /** Takes everything. */
  async takeAll(): Promise<void> {
    for (let taken = this.#taking.shift(); taken; taken = this.#taking.shift()) {
      taken();
      await turn();
    }
  }
}

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

function make(peerEnd?: PeerEnd) {
  const far = new Far();
  const said: string[] = [];
  const stream = new ConnectionStream(far, {
    id: 7,
    accept: () => said.push('accept'),
    refuse: ({ reason }) => {
      said.push(`refuse ${reason}`);
      far.destroy();
    },
    reset: ({ reason }) => {
      said.push(`reset ${reason}`);
      far.destroy();
    },
    died: () => ({ code: 25, reason: 'it broke' }),
    ...(peerEnd && { peerEnd }),
  });
  const seen: string[] = [];
  let bytes = 0;
  const events: StreamEvents = {
    opened: () => seen.push('opened'),
    refused: () => seen.push('refused'),
    data: (chunk) => {
      bytes += chunk.length;
    },
    end: () => seen.push('end'),
    reset: ({ reason }) => seen.push(`reset: ${reason}`),
    writable: () => seen.push('writable'),
  };
  stream.events = events;
  return {
    far,
    stream,
    said,
    seen,
    get bytes() {
      return bytes;
    },
  };
}

test('both halves end in order, each by itself', async () => {
  const { far, stream, seen } = make();
  stream.accept();
  stream.sendCopy(Buffer.from('there'));
  stream.finish();
  expect(stream.dead).toBe(false);
  await far.takeAll();
  far.say(Buffer.from('back'));
  far.say(null);
  await once(far, 'close');
  expect([String(Buffer.concat(far.written)), stream.bytesSent, stream.bytesReceived, stream.dead, seen]).toEqual([
    'there',
    5,
    4,
    true,
    ['end'],
  ]);
});

test('the source waits while much is written and not taken, and is told when there is room', async () => {
  const { far, stream, seen } = make();
  let sent = 0;
  while (stream.canSend()) {
    stream.sendView(Buffer.alloc(65_536));
    sent += 65_536;
  }
  expect(sent).toBe(262_144);
  expect(seen).toEqual([]);
  await far.takeAll();
  expect([seen, stream.canSend()]).toEqual([['writable'], true]);
});

test('a lease is given back when its bytes were taken, and when the stream is dead', async () => {
  const { far, stream } = make();
  let released = 0;
  const lease = {
    release: () => {
      released++;
    },
  };
  stream.sendBuffer(Buffer.from('12345678body and more'), 4, lease);
  expect([String(far.written[0]), released]).toEqual(['body', 0]);
  await far.takeAll();
  expect(released).toBe(1);
  stream.reset({ code: 25, reason: 'enough' });
  expect([stream.sendBuffer(Buffer.alloc(16), 8, lease), released]).toEqual([false, 2]);
});

test('a lease in a duplex that dies is given back', async () => {
  const { far, stream } = make();
  let released = 0;
  for (let n = 0; n < 3; n++)
    stream.sendBuffer(Buffer.alloc(16), 8, {
      release: () => {
        released++;
      },
    });
  far.destroy();
  await once(far, 'close');
  await far.takeAll();
  expect(released).toBe(3);
});

test('no more is read than the local socket accepts', async () => {
  const made = make();
  const { far, stream } = made;
  for (let n = 0; n < 20; n++) far.say(Buffer.alloc(65_536));
  await turn();
  await turn();
  expect(made.bytes).toBe(262_144);
  stream.accepted(100_000);
  await turn();
  expect(made.bytes).toBe(262_144); // not for every few bytes
  stream.accepted(200_000);
  await turn();
  await turn();
  expect(made.bytes).toBe(524_288);
});

test('what comes before there is an owner waits for one, and so does a duplex that closed', async () => {
  const far = new Far();
  const stream = new ConnectionStream(far, {
    id: 1,
    accept() {},
    refuse() {},
    reset() {},
    died: () => ({ code: 25, reason: 'it broke' }),
  });
  far.pause(); // as whoever read the request leaves it
  far.say(Buffer.from('early'));
  await turn();
  const seen: string[] = [];
  stream.events = {
    opened() {},
    refused() {},
    data: (bytes) => seen.push(String(bytes)),
    end() {},
    reset: ({ reason }) => seen.push(reason),
    writable() {},
  };
  await turn();
  expect(seen).toEqual(['early']);
  const closed = new Far();
  const late = new ConnectionStream(closed, {
    id: 1,
    accept() {},
    refuse() {},
    reset() {},
    died: () => ({ code: 25, reason: 'it broke' }),
  });
  closed.destroy();
  await once(closed, 'close');
  late.events = stream.events;
  await turn();
  await turn();
  expect(seen).toEqual(['early', 'it broke']);
});

test('a duplex that closes before both halves ended is a reset, with its reason', async () => {
  const { far, stream, seen } = make();
  stream.finish();
  await far.takeAll();
  far.destroy(new Error('ECONNRESET'));
  await once(far, 'close').catch(() => undefined);
  await turn();
  expect([seen, stream.dead]).toEqual([['reset: it broke'], true]);
});

test('an end that is none is a reset in both directions, told once', async () => {
  const { far, stream, said, seen } = make({ inOrder: false });
  stream.finish();
  far.say(null);
  await once(far, 'close');
  expect([seen, said, stream.dead]).toEqual([['reset: it broke'], ['reset it broke'], true]);
});

test('an end that was in order is an end', async () => {
  const { far, seen } = make({ inOrder: true });
  far.say(null);
  await turn();
  expect(seen).toEqual(['end']);
});

test('bytes that were not taken when it closed are a reset, though both halves had ended', async () => {
  const { far, stream, seen } = make();
  stream.sendCopy(Buffer.from('never taken'));
  stream.finish();
  far.say(null);
  await turn();
  far.destroy();
  await once(far, 'close');
  expect(seen).toEqual(['end', 'reset: it broke']);
});

test('bytes that were not read when it closed are a reset, though both halves had ended', async () => {
  const { far, stream, seen } = make({ inOrder: true });
  far.say(Buffer.alloc(262_144)); // not accepted: it pauses
  await turn();
  far.say(Buffer.from('the rest'));
  far.say(null);
  stream.finish();
  await far.takeAll();
  far.destroy();
  await once(far, 'close');
  expect(seen).toEqual(['reset: it broke']);
});

test.each(['reset', 'refuse'] as const)('after %s nothing more is told, and it is said once', async (verb) => {
  const { far, stream, said, seen } = make();
  stream[verb]({ code: 16, reason: 'no' });
  stream.reset({ code: 16, reason: 'again' });
  stream.refuse({ code: 16, reason: 'again' });
  stream.accept();
  stream.finish();
  await once(far, 'close');
  expect([said, seen, stream.dead, stream.canSend(), stream.sendCopy(Buffer.from('x'))]).toEqual([
    [`${verb} no`],
    [],
    true,
    false,
    false,
  ]);
});

test('whatever the order, it ends once, and in order only when all of it was taken', async () => {
  const step = fc.constantFrom('send', 'finish', 'take', 'say', 'their end', 'die', 'reset');
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const { far, stream, seen } = make();
      let ours = false;
      for (const one of steps) {
        if (one === 'send' && !ours) stream.sendCopy(Buffer.alloc(1_000));
        else if (one === 'finish') {
          ours = true;
          stream.finish();
        } else if (one === 'take') await far.takeAll();
        else if (one === 'say' && !far.readableEnded && !far.destroyed && !seen.includes('end'))
          far.say(Buffer.alloc(1_000));
        else if (one === 'their end' && !seen.includes('end')) {
          far.say(null);
          await turn();
        } else if (one === 'die') far.destroy();
        else if (one === 'reset') stream.reset({ code: 25, reason: 'enough' });
        if (far.destroyed || far.readableEnded) break;
      }
      far.destroy();
      await turn();
      const resets = seen.filter((event) => event.startsWith('reset')).length;
      expect(resets).toBeLessThanOrEqual(1);
      expect(stream.dead).toBe(true);
      if (resets === 0 && !steps.includes('reset'))
        expect([seen.includes('end'), far.writableFinished]).toEqual([true, true]);
    }),
    { numRuns: 60 },
  );
});

test('one-byte pieces that wait in the duplex become few, arrive exact, and are told', async () => {
  const { far, stream } = make();
  const got: Uint8Array[] = [];
  let held = 0;
  stream.events = {
    ...stream.events,
    data: (chunk) => got.push(chunk),
    held: () => {
      held = stream.bytesReceived;
    },
  };
  await turn();
  far.say(Buffer.alloc(262_144)); // so much waits at the owner: the duplex is paused
  const sent = Buffer.from(Array.from({ length: 60_000 }, (_, at) => at));

  for (const [at] of sent.entries()) far.say(sent.subarray(at, at + 1));

  expect([far.isPaused(), held, got.length]).toEqual([true, 262_144 + 60_000, 1]);
  stream.accepted(262_144);
  far.say(null);
  await turn();
  expect(Buffer.compare(Buffer.concat(got.slice(1)), sent)).toBe(0);
  expect(got.length).toBeLessThan(8);
});

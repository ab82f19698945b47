import { expect, test } from '@jest/globals';
import { AditError, wireOfCode } from '../errors.ts';
import type { StreamEvents } from '../protocol/mux/stream.ts';
import { PendingStream } from './pending-stream.ts';
import type { RelayStream } from './contract.ts';

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** A stream that notes what is done with it. */
function noted() {
  const done: string[] = [];
  const stream: RelayStream = {
    id: 9,
    dead: false,
    bytesSent: 3,
    bytesReceived: 4,
    events: undefined as unknown as StreamEvents,
    canSend: () => true,
    sendBuffer: (buffer, length) => {
      done.push(`buffer ${String(buffer.subarray(8, 8 + length))}`);
      return true;
    },
    sendCopy: (bytes) => {
      done.push(`copy ${String(bytes)}`);
      return true;
    },
    sendView: (bytes) => {
      done.push(`view ${Buffer.from(bytes).toString()}`);
      return true;
    },
    finish: () => {
      done.push('finish');
    },
    reset: ({ reason }) => {
      done.push(`reset ${reason}`);
    },
    accepted: (total) => {
      done.push(`accepted ${total}`);
    },
  };
  return { stream, done };
}

function make() {
  const giveUp = new AbortController();
  let come!: (stream: RelayStream) => void;
  let fail!: (error: unknown) => void;
  const stream = new PendingStream(
    5,
    new Promise((resolve, reject) => {
      come = resolve;
      fail = reject;
    }),
    giveUp,
  );
  const seen: string[] = [];
  stream.events = {
    opened: () => seen.push('opened'),
    refused: ({ code, reason }) => seen.push(`refused ${code} ${reason}`),
    data() {},
    end() {},
    reset() {},
    writable: () => seen.push('writable'),
  };
  return { stream, seen, come, fail, giveUp };
}

test('holds what was read before it was opened, and sends it first', async () => {
  const { stream, seen, come } = make();
  const { stream: there, done } = noted();
  let released = 0;
  expect([
    stream.canSend(),
    stream.sendCopy(Buffer.from('a')),
    stream.sendView(Buffer.from('b')),
    stream.sendBuffer(Buffer.from('12345678c...'), 1, {
      release: () => {
        released++;
      },
    }),
  ]).toEqual([false, false, false, false]);
  expect(released).toBe(1);
  come(there);
  await turn();
  expect(seen).toEqual(['opened', 'writable']);
  stream.sendCopy(Buffer.from('d'));
  stream.accepted(7);
  stream.finish();
  expect(done).toEqual(['view a', 'view b', 'view c', 'copy d', 'accepted 7', 'finish']);
  expect([stream.canSend(), stream.bytesSent, stream.bytesReceived, stream.dead, there.events]).toEqual([
    true,
    3,
    4,
    false,
    stream.events,
  ]);
});

test('an end that came before it was opened follows what was held', async () => {
  const { stream, seen, come } = make();
  const { stream: there, done } = noted();
  stream.sendCopy(Buffer.from('all'));
  stream.finish();
  come(there);
  await turn();
  expect([seen, done]).toEqual([['opened'], ['view all', 'finish']]);
});

test.each([
  ['a code of the wire', new AditError('CONNECTION_REFUSED', 'no'), `refused ${wireOfCode('CONNECTION_REFUSED')} no`],
  [
    'a code that never crosses it',
    new AditError('EGRESS_UNREACHABLE', 'no way'),
    `refused ${wireOfCode('LINK_LOST')} no way`,
  ],
])('%s is told as a refusal, once', async (_what, error, told) => {
  const { stream, seen, fail } = make();
  fail(error);
  await turn();
  expect([seen, stream.dead, stream.sendCopy(Buffer.from('x'))]).toEqual([[told], true, false]);
});

test('what comes when nobody waits any more is reset', async () => {
  const { stream, seen, come, giveUp } = make();
  const { stream: there, done } = noted();
  stream.reset({ code: 25, reason: 'enough' });
  expect([giveUp.signal.aborted, stream.dead]).toEqual([true, true]);
  come(there);
  await turn();
  expect([seen, done]).toEqual([[], ['reset nobody waits for the stream any more']]);
});

test('a reset of one that is open is passed on', async () => {
  const { stream, come } = make();
  const { stream: there, done } = noted();
  come(there);
  await turn();
  stream.reset({ code: 25, reason: 'enough' });
  stream.reset({ code: 25, reason: 'again' });
  expect(done).toEqual(['reset enough']);
});

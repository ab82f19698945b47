import { expect, test } from '@jest/globals';
import { MuxStream, readBytes, type StreamHost } from './stream.ts';

/** What a host offers to streams that move. */
const still = {
  streams: 0,
  head: 0,
  closing: false,
  leaveTurn: () => false,
  startMove: () => {},
  sentMuch: () => {},
  tookMuch: () => {},
};

function stream({ credit = 262_144, room = true, ours = true } = {}) {
  const frames: [number, string][] = [];
  const waiting: MuxStream[] = [];
  const host: StreamHost = {
    ...still,
    nowMs: 0,
    srttMs: 0,
    growthBytes: 1_000_000,
    unanswered: 0,
    hasRoom: () => room,
    append: (type, _id, payload) => {
      frames.push([type, Buffer.from(payload).toString('hex')]);
    },
    appendBuffer: () => {},
    appendView: () => {},
    waitForTurn: (one) => {
      waiting.push(one);
    },
    forget: () => {},
  };
  const one = new MuxStream(1, host, { sendCredit: credit, receiveWindow: 262_144, ours });
  const told: string[] = [];
  one.events = {
    opened: () => told.push('opened'),
    refused: () => told.push('refused'),
    data: () => told.push('data'),
    end: () => told.push('end'),
    reset: () => told.push('reset'),
    writable: () => told.push('writable'),
  };
  return { one, frames, waiting, told };
}

test('a source may read while there is credit for one whole read, and waits for WINDOW then', () => {
  const { one, waiting } = stream({ credit: readBytes });
  expect(one.canSend()).toBe(true);
  expect(one.sendCopy(new Uint8Array(1))).toBe(false);
  expect(waiting).toEqual([]);
  one.onWindow(readBytes);
  expect(waiting).toEqual([one]);
});

test('without room in the lane it waits for its turn', () => {
  const { one, waiting } = stream({ room: false });
  expect(one.canSend()).toBe(false);
  expect(waiting).toEqual([one]);
});

test('FIN is sent once, and nothing is read after it', () => {
  const { one, frames } = stream();
  one.finish();
  one.finish();
  expect(frames).toEqual([[5, '']]);
  expect(one.canSend()).toBe(false);
});

test('after a reset nothing is sent any more, and a buffer that comes late is given back', () => {
  const { one, frames } = stream();
  let given = false;
  one.reset({ code: 24, reason: '' });
  expect(
    one.sendBuffer(new Uint8Array(100), 10, {
      release: () => {
        given = true;
      },
    }),
  ).toBe(false);
  expect([frames.length, given, one.dead]).toEqual([1, true, true]);
});

test.each([
  [
    'OPEN_OK twice',
    (one: MuxStream) => {
      one.onOpened(new Uint8Array(0));
      one.onOpened(new Uint8Array(0));
    },
  ],
  [
    'OPEN_OK after OPEN_ERR',
    (one: MuxStream) => {
      one.onRefused({ code: 1, reason: '' });
      one.onOpened(new Uint8Array(0));
    },
  ],
])('%s is a fault', (_what, act) => {
  expect(() => act(stream().one)).toThrow(expect.objectContaining({ code: 1 }));
});

test('credit beyond all measure is a fault of flow control', () => {
  const { one } = stream();
  expect(() => {
    for (;;) one.onWindow(2 ** 52);
  }).toThrow(expect.objectContaining({ code: 3 }));
});

test('a bulk stream whose turn comes seldom does not count as one that sends little', () => {
  let now = 0;
  const extras: number[] = [];
  const one = new MuxStream(
    1,
    {
      ...still,
      get nowMs() {
        return now;
      },
      srttMs: 0,
      growthBytes: 0,
      unanswered: 0,
      hasRoom: (extra) => {
        extras.push(extra);
        return false;
      },
      append: () => {},
      appendBuffer: () => {},
      appendView: () => {},
      waitForTurn: () => {},
      forget: () => {},
    },
    { sendCredit: 1 << 20, receiveWindow: 262_144, ours: true },
  );
  for (let read = 0; read < 3; read++) {
    now += 150;
    one.sendView(new Uint8Array(60_000));
  }
  expect(extras).toEqual([0, 0, 0]);
  now += 150;
  one.canSend();
  expect(extras.at(-1)).toBeGreaterThan(0);
});

test('what its window grew by is taken from the session, and given back at its end', () => {
  const growth = { left: 300_000 };
  const host: StreamHost = {
    ...still,
    nowMs: 1,
    srttMs: 1_000_000,
    unanswered: 0,
    get growthBytes() {
      return growth.left;
    },
    set growthBytes(bytes) {
      growth.left = bytes;
    },
    hasRoom: () => true,
    append: () => {},
    appendBuffer: () => {},
    appendView: () => {},
    waitForTurn: () => {},
    forget: () => {},
  };
  const one = new MuxStream(1, host, { sendCredit: readBytes, receiveWindow: 262_144, ours: true });
  one.events = { opened() {}, refused() {}, data() {}, end() {}, reset() {}, writable() {} };
  one.onData(new Uint8Array(200_000));
  one.accepted(200_000);
  expect(growth.left).toBe(300_000 - 262_144);
  one.reset({ code: 24, reason: '' });
  expect(growth.left).toBe(300_000);
});

import { expect, test } from '@jest/globals';
import { Lane } from './lane.ts';
import { encodeFrame, frameType } from './frame.ts';

function lane({ resumable = true, replayLimitBytes = 1 << 20 } = {}) {
  let now = 0;
  const control: [number, string][] = [];
  const one: Lane = new Lane(
    {
      data: () => {},
      control: (type, _id, payload) => {
        if (!one.control(type, payload)) control.push([type, Buffer.from(payload).toString('hex')]);
      },
    },
    { replayLimitBytes, resumable, now: () => now, allocate: (bytes) => new Uint8Array(bytes) },
  );
  one.attach({ offset: 0, partial: 0 });
  const written = (): string => {
    const out: Uint8Array[] = [];
    one.flush((bytes) => {
      out.push(bytes.slice());
      return true;
    });
    return Buffer.concat(out).toString('hex');
  };
  return {
    one,
    written,
    tick: (ms: number) => {
      now += ms;
    },
    control,
  };
}

test('an ACK says how many bytes were parsed and how long it was held, and goes before what else there is', () => {
  const { one, written, tick } = lane();
  one.receive(encodeFrame(frameType.fin, 1, new Uint8Array(0)));
  tick(3);
  one.append(frameType.fin, 3, new Uint8Array(0));
  expect(written()).toBe(`8000000c00000000${'0000000000000008'}${'00000bb8'}` + '0500000000000003');
  expect([one.owesAck, written()]).toEqual([false, '']);
});

test('an ACK is urgent after 128 KiB', () => {
  const { one } = lane();
  one.receive(encodeFrame(frameType.data, 1, new Uint8Array(65_528)));
  expect(one.ackIsUrgent).toBe(false);
  one.receive(encodeFrame(frameType.data, 1, new Uint8Array(65_528)));
  expect(one.ackIsUrgent).toBe(true);
});

test('has no room while the carrier is full, the queue is long, or the peer acknowledges nothing', () => {
  const { one, written } = lane({ replayLimitBytes: 200_000 });
  one.busy = true;
  expect(one.hasRoom()).toBe(false);
  one.busy = false;
  for (let n = 0; n < 4; n++) one.appendView(1, new Uint8Array(60_000));
  expect(one.hasRoom()).toBe(false);
  written();
  expect(one.hasRoom()).toBe(false);
  one.receive(encodeFrame(frameType.ack, 0, Uint8Array.from([0, 0, 0, 0, 0, 1, 0x86, 0xa0, 0, 0, 0, 0])));
  expect(one.hasRoom()).toBe(true);
});

test('detached it sends nothing, and what was queued meanwhile goes out behind the replay', () => {
  const { one, written } = lane();
  one.append(frameType.open, 1, Uint8Array.of(9));
  written();
  one.detach();
  one.append(frameType.fin, 1, new Uint8Array(0));
  expect(written()).toBe('');
  one.attach({ offset: 8, partial: 1 });
  expect(written()).toBe('09' + '0500000000000001');
});

test('refuses to resume where the peer wants what is gone or never was', () => {
  const { one, written } = lane();
  one.append(frameType.open, 1, new Uint8Array(20));
  written();
  one.receive(encodeFrame(frameType.ack, 0, Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0])));
  expect([
    one.covers({ offset: 9, partial: 0 }),
    one.covers({ offset: 10, partial: 18 }),
    one.covers({ offset: 28, partial: 0 }),
    one.covers({ offset: 29, partial: 0 }),
  ]).toEqual([false, true, true, false]);
  expect([0, 1, 17, 19].map((partial) => one.covers({ offset: 10, partial }))).toEqual([false, false, false, false]);
  one.detach();
  expect(() => one.attach({ offset: 9, partial: 0 })).toThrow(expect.objectContaining({ code: 1 }));
});

test('a lane that does not resume keeps nothing and acknowledges nothing', () => {
  const { one, written } = lane({ resumable: false });
  let given = 0;
  one.appendBuffer(new Uint8Array(108), 100, {
    release: () => {
      given++;
    },
  });
  one.flush((_bytes, done) => {
    done?.release();
    return true;
  });
  expect([one.log.unacked, given]).toEqual([0, 1]);
  one.receive(encodeFrame(frameType.fin, 1, new Uint8Array(0)));
  expect([one.owesAck, written()]).toEqual([false, '']);
});

test('a lane that does not resume measures the round trip by PING, every 100 ms at most, while it sends', () => {
  const { one, written, tick } = lane({ resumable: false });
  const pong = (): unknown => one.receive(encodeFrame(frameType.pong, 0, new Uint8Array(8)));
  const fin = '0500000000000001';
  const ping = (token: string): string => `8100000800000000${token}`;
  one.append(frameType.fin, 1, new Uint8Array(0));
  expect(written()).toBe(ping('0000000000000000') + fin);
  tick(20);
  pong();
  expect(one.flight.srttMs).toBe(20);
  pong(); // nobody asked
  one.append(frameType.fin, 1, new Uint8Array(0));
  expect([one.flight.srttMs, written()]).toEqual([20, fin]);
  tick(100);
  expect(written()).toBe('');
  one.append(frameType.fin, 1, new Uint8Array(0));
  expect(written()).toBe(ping('0000000000000078') + fin);
  one.detach();
  one.attach({ offset: 24, partial: 0 });
  pong(); // of the carrier before
  expect(one.flight.srttMs).toBe(20);
});

test.each([
  ['ACK', frameType.ack, 11],
  ['PING', frameType.ping, 7],
])('%s of the wrong size is a fault', (_name, type, size) => {
  expect(() => lane().one.receive(encodeFrame(type, 0, new Uint8Array(size)))).toThrow(
    expect.objectContaining({ code: 1 }),
  );
});

test('writes nothing to a carrier that is full, however often the peer asks', () => {
  const { one, written } = lane();
  one.busy = true;
  for (let n = 0; n < 1_000; n++) {
    one.receive(encodeFrame(frameType.ping, 0, new Uint8Array(8)));
    one.append(frameType.window, 1, new Uint8Array(4));
    expect(written()).toBe('');
  }
  one.busy = false;
  expect(written().startsWith('8200000800000000')).toBe(true);
});

test('a peer that never acknowledges is a fault in what it sends, never in what sources append', () => {
  const { one } = lane({ replayLimitBytes: 65_536 });
  const once = encodeFrame(frameType.fin, 1, new Uint8Array(0));
  // many sources that were reading when the carrier died
  for (let n = 0; n < 100; n++) one.appendView(1, new Uint8Array(65_528));
  one.append(frameType.fin, 1, new Uint8Array(0));
  one.receive(once);
  for (let n = 0; n < 1_000; n++) one.append(frameType.openErr, 1, new Uint8Array(260));
  expect(() => one.receive(once)).toThrow(expect.objectContaining({ code: 4 }));
});

test.each([true, false])(
  'answers that are acknowledged, or written where nothing is kept, never add up to a fault (resumable: %s)',
  (resumable) => {
    const { one, written } = lane({ replayLimitBytes: 65_536, resumable });
    for (let n = 1; n <= 3_000; n++) {
      one.append(frameType.openErr, n, new Uint8Array(260));
      written();
      const ack = new Uint8Array(12);
      new DataView(ack.buffer).setUint32(4, n * 268);
      one.receive(encodeFrame(frameType.ack, 0, ack));
    }
    expect(one.log.unacked).toBe(0);
  },
);

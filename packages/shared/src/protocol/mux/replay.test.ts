import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { encodeFrame, frameType } from './frame.ts';
import { ReplayLog } from './replay.ts';

const newLog = (): ReplayLog => new ReplayLog((bytes) => new Uint8Array(bytes));

function put(log: ReplayLog, bytes: Uint8Array): void {
  const at = log.reserve(bytes.length);
  log.slab.set(bytes, at);
}

function takeAll(log: ReplayLog): Buffer {
  const out: Uint8Array[] = [];
  for (let bytes = log.take(); bytes !== undefined; bytes = log.take()) out.push(bytes.slice());
  return Buffer.concat(out);
}

test('small pieces of one tick go out as one, and a piece after a take starts a new one', () => {
  const log = newLog();
  put(log, Uint8Array.of(1, 2));
  put(log, Uint8Array.of(3));
  expect(log.take()).toEqual(Uint8Array.of(1, 2, 3));
  put(log, Uint8Array.of(4));
  expect([log.take(), log.take()]).toEqual([Uint8Array.of(4), undefined]);
});

test('what is written in many ticks and never acknowledged is few segments, and is sent again from any frame', () => {
  const log = newLog();
  const frames = Array.from({ length: 20_000 }, (_, n) => encodeFrame(frameType.data, 1, Uint8Array.of(n)));

  for (const frame of frames) {
    put(log, frame);
    expect(log.take()).toEqual(frame);
  }

  expect(log.segments).toBeLessThan(5);
  for (const from of [0, 1, 7_281, 7_282, 19_999]) {
    expect(log.missingAt(from * 9)).toBe(0);
    log.rewind(from * 9);
    expect(Buffer.compare(takeAll(log), Buffer.concat(frames.slice(from)))).toBe(0);
  }
});

test('a buffer is given back when it is acknowledged, once and not before', () => {
  const log = newLog();
  let given = 0;
  log.append(
    new Uint8Array(10),
    { start: 0, stop: 10, boundary: true },
    {
      release: () => {
        given++;
      },
    },
  );
  takeAll(log);
  expect(log.acknowledge(9)).toBe(true);
  expect(given).toBe(0);
  log.acknowledge(10);
  log.acknowledge(10);
  expect(given).toBe(1);
});

test('a buffer that was sent on a carrier that died is never given back', () => {
  const log = newLog();
  log.append(
    new Uint8Array(10),
    { start: 0, stop: 10, boundary: true },
    {
      release: () => {
        throw new Error('the dead socket may hold it');
      },
    },
  );
  takeAll(log);
  log.rewind(0);
  takeAll(log);
  expect(log.acknowledge(10)).toBe(true);
});

test('an acknowledgement of what was not sent, or of less than before, is refused', () => {
  const log = newLog();
  put(log, new Uint8Array(5));
  expect(log.acknowledge(1)).toBe(false);
  log.take();
  log.acknowledge(4);
  expect([log.acknowledge(3), log.acknowledge(6), log.acknowledge(Number.NaN)]).toEqual([false, false, false]);
});

test('a header without its payload is no place for another frame', () => {
  const log = newLog();
  log.reserve(8, false);
  log.append(new Uint8Array(3), { start: 0, stop: 3, boundary: true });
  log.take();
  expect(log.atBoundary).toBe(false);
  log.take();
  expect(log.atBoundary).toBe(true);
});

describe('against a model that keeps every byte', () => {
  const step = fc.oneof(
    fc.record({ op: fc.constant('small' as const), length: fc.integer({ min: 1, max: 300 }) }),
    fc.record({ op: fc.constant('buffer' as const), length: fc.integer({ min: 1, max: 70_000 }) }),
    fc.record({ op: fc.constant('take' as const), length: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ op: fc.constantFrom('ack' as const, 'rewind' as const), length: fc.nat() }),
  );
  test('every take is the next bytes, whatever is appended, acknowledged and sent again', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.constantFrom(0, 2 ** 32 - 500), (steps, start) => {
        const log = newLog();
        log.head = log.sent = log.acked = start; // offsets beyond 2^32 are offsets like any other
        const model: number[] = [];
        let next = 0;
        const fill = (length: number): Uint8Array => Uint8Array.from({ length }, () => (next++ * 31) & 0xff);
        for (const { op, length } of steps) {
          if (op === 'small' || op === 'buffer') {
            const bytes = fill(length);
            model.push(...bytes);
            if (op === 'small') put(log, bytes);
            else log.append(bytes, { start: 0, stop: length, boundary: true });
          } else if (op === 'take') {
            for (let n = 0; n < length; n++) {
              const from = log.sent - start;
              const bytes = log.take();
              if (bytes) expect(Buffer.compare(bytes, Uint8Array.from(model.slice(from, from + bytes.length)))).toBe(0);
            }
          } else if (op === 'ack')
            expect(log.acknowledge(log.acked + (length % (log.sent - log.acked + 1)))).toBe(true);
          else log.rewind(log.acked + (length % (log.head - log.acked + 1)));
          expect(log.acked <= log.sent && log.sent <= log.head && log.head === start + model.length).toBe(true);
          expect([
            log.covers(log.acked, 0),
            log.covers(log.head, 0),
            log.covers(log.head, 1),
            log.covers(log.acked - 1, 0),
          ]).toEqual([true, true, false, false]);
        }
        const from = log.sent - start;
        expect(takeAll(log).equals(Buffer.from(model.slice(from)))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

test('knows at every offset how much is missing of the frame there, whatever was acknowledged', () => {
  const frame = fc.record({ length: fc.oneof(fc.nat(40), fc.constant(1)), view: fc.boolean(), taken: fc.boolean() });
  fc.assert(
    fc.property(fc.array(frame, { minLength: 1, maxLength: 20 }), fc.nat(), (frames, acked) => {
      const log = newLog();
      const missing: number[] = [];
      for (const { length, view, taken } of frames) {
        const bytes = encodeFrame(frameType.data, 1, new Uint8Array(length));
        if (view && length > 0) {
          const at = log.reserve(8, false);
          log.slab.set(bytes.subarray(0, 8), at);
          log.append(bytes, { start: 8, stop: bytes.length, boundary: true });
        } else put(log, bytes);
        missing.push(0, ...Array.from({ length: 7 }, () => -1), ...Array.from({ length }, (_, at) => length - at));
        if (taken) takeAll(log);
      }
      takeAll(log);
      log.acknowledge(acked % (log.head + 1));
      for (let at = log.acked; at < log.head; at++) expect([at, log.missingAt(at)]).toEqual([at, missing[at]]);
      expect(log.missingAt(log.head)).toBe(0);
    }),
  );
});

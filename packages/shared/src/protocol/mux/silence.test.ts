/** When a peer counts as silent: as transcripts of two sessions over a simulated link, with the clock in hand. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MuxPair } from '../../../../../test/support/mux-pair.ts';
import { patience, Silence } from './silence.ts';

const nothing = new Uint8Array(0);

/** Time passes at both ends. */
function later(pair: MuxPair, ms: number): { doubted: boolean; silent: boolean } {
  pair.nowMs += ms;
  const { doubted, silent } = pair.ends.client;
  return { doubted, silent };
}

/** What the client has goes to the server and the answers come back. */
function exchange(pair: MuxPair): void {
  for (const side of ['client', 'server', 'client'] as const) {
    pair.flush(side);
    pair.deliver(side);
  }
}

const fine = { doubted: false, silent: false };
const doubted = { doubted: true, silent: false };
const silent = { doubted: true, silent: true };

test('patience is a second, or four round trips where they take longer', () => {
  expect([patience(0), patience(100), patience(250), patience(600)]).toEqual([1_000, 1_000, 1_000, 2_400]);
});

test('a session without anything under way is never doubted', () => {
  const pair = new MuxPair();
  expect(later(pair, 3_600_000)).toEqual(fine);
});

test('bytes that are not acknowledged are a doubt after a second, and silence after two', () => {
  const pair = new MuxPair();
  pair.open();
  pair.settle();
  pair.streams.server.get(1)!.stream.accept(nothing);
  pair.settle();
  pair.send('client', 1, 100, 'copy');
  pair.flush('client');
  expect([later(pair, 999), later(pair, 1), later(pair, 999), later(pair, 1)]).toEqual([
    fine,
    doubted,
    doubted,
    silent,
  ]);
  exchange(pair);
  expect(later(pair, 3_600_000)).toEqual(fine);
});

test('an OPEN that is acknowledged and not answered is no doubt; a PING that is not answered is one', () => {
  const pair = new MuxPair();
  pair.open();
  exchange(pair);
  expect([later(pair, 60_000), pair.ends.client.first.unanswered]).toEqual([fine, 1]);
  pair.ends.client.first.ping(1);
  expect([later(pair, 999), later(pair, 1), later(pair, 1_000)]).toEqual([fine, doubted, silent]);
  exchange(pair);
  expect(later(pair, 60_000)).toEqual(fine);
  pair.streams.server.get(1)!.stream.accept(nothing);
  exchange(pair);
  expect([later(pair, 60_000), pair.ends.client.first.unanswered]).toEqual([fine, 0]);
});

test('once it was asked, only an answer ends the doubt, even if nothing else is owed any more', () => {
  const pair = new MuxPair({ resumable: false });
  const stream = pair.open();
  pair.flush('client');
  expect(later(pair, 60_000)).toEqual(fine);
  pair.ends.client.first.ping(1);
  expect(later(pair, 1_000)).toEqual(doubted);
  stream.stream.reset({ code: 25, reason: 'nobody waits' });
  pair.flush('client');
  expect(later(pair, 3_600_000)).toEqual(silent);
  exchange(pair);
  expect(later(pair, 3_600_000)).toEqual(fine);
});

test('bytes that arrive are no answer to bytes that were sent', () => {
  const pair = new MuxPair();
  pair.open();
  pair.settle();
  pair.streams.server.get(1)!.stream.accept(nothing);
  pair.settle();
  pair.send('client', 1, 100, 'copy');
  pair.flush('client');
  pair.link.client = []; // they are lost on the way, and nobody knows
  pair.nowMs += 1_000;
  pair.send('server', 1, 100, 'copy');
  pair.flush('server');
  pair.deliver('server');
  expect(pair.ends.client).toMatchObject(doubted);
});

test.each([
  ['acknowledged', exchange],
  ['lost with it', (pair: MuxPair) => pair.flush('client')],
])('while there is no carrier an OPEN that was %s counts, and the next carrier begins anew', (_what, before) => {
  const pair = new MuxPair();
  pair.open();
  before(pair);
  pair.cut();
  expect([later(pair, 1_999), later(pair, 1)]).toEqual([doubted, silent]);
  pair.resume();
  expect(later(pair, 999)).toEqual(fine);
  exchange(pair);
  expect(later(pair, 60_000)).toEqual(fine);
});

test('no OPEN stays counted as unanswered, however it ends', () => {
  const endings: ((pair: MuxPair, id: number) => void)[] = [
    (pair, id) => pair.streams.server.get(id)!.stream.accept(nothing),
    (pair, id) => pair.streams.server.get(id)!.stream.refuse({ code: 16, reason: 'no' }),
    (pair, id) => pair.streams.server.get(id)!.stream.reset({ code: 24, reason: 'gone' }),
    (pair, id) => pair.streams.client.get(id)!.stream.reset({ code: 25, reason: 'gone' }),
    (pair, id) => {
      pair.streams.server.get(id)!.stream.accept(nothing);
      exchange(pair);
      pair.streams.client.get(id)!.stream.reset({ code: 25, reason: 'gone' });
    },
  ];
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(endings.length - 1), fc.boolean()), { maxLength: 20 }), (chosen) => {
      const pair = new MuxPair();
      for (const [ending, cuts] of chosen) {
        const { id } = pair.open().stream;
        pair.settle();
        endings[ending]!(pair, id);
        if (cuts) pair.cut();
        pair.settle();
      }
      expect(pair.ends.client.first.unanswered).toBe(0);
      expect(later(pair, 3_600_000)).toEqual(fine);
      pair.open();
      pair.ends.client.end({ code: 0, reason: 'over' });
      expect(pair.ends.client.first.unanswered).toBe(0);
    }),
  );
});

test('the clock begins with the first debt, whatever is owed after it', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5_000), { minLength: 1, maxLength: 20 }), (gaps) => {
      const silence = new Silence();
      let nowMs = 7;
      for (const gap of gaps) {
        silence.begin(nowMs);
        nowMs += gap;
      }
      expect(silence.lastsMs(nowMs)).toBe(nowMs - 7);
      silence.restart(nowMs, false);
      expect([silence.runs, silence.lastsMs(nowMs + 1)]).toEqual([false, 0]);
    }),
  );
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MuxPair, type Side } from '../../../../../test/support/mux-pair.ts';
import { transferProperty } from '../../../../../test/support/mux-transfer.ts';
import { MuxSession } from './session.ts';

describe('turns', () => {
  /** Six streams that each read once more than there is room for, and now wait. */
  const waiting = (): MuxPair => {
    const pair = new MuxPair({ replayLimitBytes: 1 << 18 });
    for (let n = 0; n < 6; n++) pair.open();
    for (const seen of pair.streams.client.values()) {
      seen.turns = 1; // each was reading when the room ended
      pair.send('client', seen.stream.id, 65_000, 'buffer');
    }
    for (const seen of pair.streams.client.values()) expect(seen.stream.canSend()).toBe(false);
    pair.flush('client');
    pair.woken.client = false;
    return pair;
  };
  const turns = (pair: MuxPair): number => [...pair.streams.client.values()].reduce((sum, seen) => sum + seen.turns, 0);

  test('are given at once when an ACK makes room, and the rest is asked for', () => {
    const pair = waiting();
    expect(turns(pair)).toBe(0);
    pair.deliver('client');
    pair.flush('server');
    pair.deliver('server');
    expect([turns(pair), pair.woken.client]).toEqual([4, true]);
    pair.flush('client');
    expect(turns(pair)).toBe(6);
  });

  test('are asked for when a carrier is attached', () => {
    const pair = waiting();
    pair.deliver('client');
    pair.cut();
    pair.resume();
    expect(pair.woken.client).toBe(true);
    pair.flush('client');
    expect(turns(pair)).toBe(4);
  });
});

test('offsets beyond 2^32 are offsets like any other: 4.5 GB cross, and the carrier dies on the way', () => {
  const received: Record<Side, number> = { client: 0, server: 0 };
  const make = (role: Side): MuxSession =>
    new MuxSession(
      {
        role,
        resumable: true,
        receiveWindow: 262_144,
        sendWindow: 262_144,
        maxStreams: 4,
        replayLimitBytes: 1 << 22,
        now: () => 0,
        allocate: (bytes) => new Uint8Array(bytes),
      },
      {
        wake: () => {},
        opened: (stream) => {
          stream.events = {
            opened: () => {},
            refused: () => {},
            data: (bytes) => {
              received[role] += bytes.length;
              stream.accepted(received[role]);
            },
            end: () => {},
            reset: () => {},
            writable: () => {},
          };
        },
        goaway: () => {},
        closed: () => {},
      },
    );
  const [client, server] = [make('client'), make('server')];
  const meet = (): void => {
    const [ours, theirs] = [client.lane.position, server.lane.position];
    client.first.attach(theirs);
    server.first.attach(ours);
  };
  meet();
  const stream = client.open(new Uint8Array(0));
  stream.events = {
    opened: () => {},
    refused: () => {},
    data: () => {},
    end: () => {},
    reset: () => {},
    writable: () => {},
  };
  const chunk = new Uint8Array(65_528);
  let sent = 0;
  for (let round = 0; sent < 4.5e9; round++) {
    while (stream.canSend()) {
      stream.sendView(chunk);
      sent += chunk.length;
    }
    const dies = round % 5_000 === 4_999;
    client.first.flush((bytes) => {
      server.first.receive(dies ? bytes.subarray(0, Math.min(bytes.length, 30_000)) : bytes);
      return !dies;
    });
    if (dies) {
      client.lane.detach();
      server.lane.detach();
      meet();
    }
    server.first.flush((bytes) => {
      client.first.receive(bytes);
      return true;
    });
  }
  client.first.flush((bytes) => {
    server.first.receive(bytes);
    return true;
  });
  server.first.flush((bytes) => {
    client.first.receive(bytes);
    return true;
  });
  expect([received.server, client.lane.log.unacked, server.lane.position]).toEqual([
    sent,
    0,
    { offset: client.lane.log.head, partial: 0 },
  ]);
  expect(sent).toBeGreaterThan(2 ** 32);
});

test(
  'whole transfers end, driven by nothing but what the sessions ask for, on carriers that die and with sources ' +
    'and destinations that dawdle',
  () => {
    fc.assert(transferProperty(), { numRuns: 200 });
  },
);

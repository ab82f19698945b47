/** Several lanes of one session over carriers in memory. */
import { once } from 'node:events';
import { type Duplex, duplexPair } from 'node:stream';
import { expect, test } from '@jest/globals';
import { eventually } from '../../../../test/support/scope.ts';
import { encodeFrame, frameType } from '../protocol/mux/frame.ts';
import type { MuxStream } from '../protocol/mux/stream.ts';
import { SessionDriver } from './session-driver.ts';

const nothing = new Uint8Array(0);

class End {
  readonly told: string[] = [];
  readonly streams: MuxStream[] = [];
  readonly driver: SessionDriver;

  constructor(role: 'client' | 'server') {
    const options = {
      ...{ role, resumable: true, lanes: 8, receiveWindow: 262_144, sendWindow: 262_144, maxStreams: 10 },
      ...{ replayLimitBytes: 1 << 20, pingAfterMs: 0, deadAfterMs: 60_000 },
    };
    this.driver = new SessionDriver(options, {
      opened: (stream) => this.#see(stream),
      goaway: () => {},
      lost: (reason) => this.told.push(`lost: ${reason}`),
      laneLost: (lane) => this.told.push(`lane ${lane} lost`),
      ended: ({ reason }) => this.told.push(`ended: ${reason}`),
    });
  }

  attach(lane: number, duplex: Duplex): void {
    duplex.on('error', () => this.told.push('an error'));
    const carrier = { kind: 'tls', duplex, remote: 'test', exportKey: () => Buffer.alloc(32) } as const;
    if (lane === 0) this.driver.attach(carrier, { offset: 0, partial: 0 }, nothing);
    else this.driver.addLane(lane, carrier, nothing);
  }

  open(): MuxStream {
    return this.#see(this.driver.session.open(nothing));
  }

  #see(stream: MuxStream): MuxStream {
    this.streams.push(stream);
    stream.events = {
      opened() {},
      refused() {},
      data: (bytes) => this.told.push(Buffer.from(bytes).toString()),
      end: () => this.told.push('FIN'),
      reset: ({ reason }) => this.told.push(`reset: ${reason}`),
      writable() {},
    };
    return stream;
  }
}

/** A session with lanes 0 and 1, and the ends of the carriers at the client. */
function pair(): { client: End; server: End; near: Duplex[] } {
  const [client, server] = [new End('client'), new End('server')];
  const near = [0, 1].map((lane) => {
    const [one, other] = duplexPair();
    server.attach(lane, other);
    client.attach(lane, one);
    return one;
  });
  return { client, server, near };
}

test('a stream that moves goes on on the carrier of the other lane', async () => {
  const { client, server, near } = pair();
  const stream = client.open();
  stream.sendCopy(Buffer.from('one'));
  stream.moveTo(client.driver.session.lanes.of(1)!);
  await eventually('it happens', () => stream.lane === client.driver.session.lanes.of(1));
  near[0]!.removeAllListeners('data');
  stream.sendCopy(Buffer.from('two'));
  await eventually('it happens', () => server.told.length === 2);
  expect(server.told).toEqual(['one', 'two']);
});

test('a further lane that loses its carrier is closed at both ends, and its streams go on', async () => {
  const { client, server, near } = pair();
  const stream = client.open();
  stream.moveTo(client.driver.session.lanes.of(1)!);
  await eventually('it happens', () => stream.lane === client.driver.session.lanes.of(1));
  near[1]!.destroy();
  stream.sendCopy(Buffer.from('still here'));
  await eventually('it happens', () => server.told.includes('still here'));
  expect([client.told, server.told]).toEqual([['lane 1 lost'], ['lane 1 lost', 'still here']]);
  expect(client.driver.attached).toBe(true);
});

test('a lane that one end closes is lost to the other, and its carrier is gone', async () => {
  const { client, server, near } = pair();
  const gone = once(near[1]!, 'close');
  client.driver.closeLane(1);
  await gone;
  await eventually(
    'it happens',
    () => server.told.includes('lane 1 lost') && client.driver.session.lanes.of(1) === undefined,
  );
  expect(client.told).toEqual([]);
});

test('CLOSE ends the session behind what every lane carries', async () => {
  const { client, server, near } = pair();
  client.open();
  await eventually('it happens', () => server.streams.length === 1);
  const theirs = server.streams[0]!;
  theirs.moveTo(server.driver.session.lanes.of(1)!);
  near[1]!.pause(); // lane 1 is slower than lane 0
  theirs.sendCopy(Buffer.from('the last words'));
  theirs.finish();
  server.driver.end({ code: 0, reason: 'done' });
  await eventually('it happens', () => client.driver.session.first.closed);
  near[1]!.resume();
  await eventually('it happens', () => client.told.includes('ended: done'));
  expect(client.told).toEqual(['the last words', 'FIN', 'reset: done', 'ended: done']);
});

test('CLOSE on the first lane ends the session within a second, though another says nothing', async () => {
  const { client, server, near } = pair();
  near[1]!.pause();
  server.driver.end({ code: 0, reason: 'done' });
  await eventually('it happens', () => client.told.includes('ended: done'));
});

test('a fault on a further lane ends the session, on all lanes', async () => {
  const { client, server, near } = pair();
  near[1]!.write(encodeFrame(frameType.fin, 0x7777_7777, nothing));
  await eventually('it happens', () => client.told.some((what) => what.startsWith('ended')));
  expect(server.told.at(-1)).toContain('never opened');
  await eventually('it happens', () => near.every(({ destroyed }) => destroyed));
});

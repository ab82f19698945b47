/**
 * What every carrier owes a session, whatever it is made of: the same streams, byte for byte, with their half-closes,
 * resets and refusals; and a session that outlives it. Each carrier's test calls this with a way to make a connected
 * pair.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type net from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { Tunnel, type CarrierPair } from '../support/tunnel.ts';
import { within } from '../support/scope.ts';

const mebibyte = 1 << 20;

export function carrierContract(name: string, makePair: () => Promise<CarrierPair>): void {
  describe(`${name}: streams`, () => {
    test.each(['pooled', 'plain'] as const)('come back as they were sent (%s reads)', async (reads) => {
      const tunnel = await Tunnel.open(makePair, { reads });
      const bytes = randomBytes(5 * mebibyte);
      const app = await tunnel.connect();
      app.end(bytes);
      expect(digest(await received(app))).toBe(digest(bytes));
      expect(await tunnel.outcome('client')).toMatchObject({
        end: 'finished',
        bytesSent: bytes.length,
        bytesReceived: bytes.length,
      });
      expect(await tunnel.outcome('server')).toMatchObject({ end: 'finished' });
    });

    test('run side by side, thirty at once', async () => {
      const tunnel = await Tunnel.open(makePair);
      await Promise.all(
        Array.from({ length: 30 }, async (_, n) => {
          const bytes = randomBytes(1 + n * 20_000);
          const app = await tunnel.connect();
          app.end(bytes);
          expect(digest(await received(app))).toBe(digest(bytes));
        }),
      );
    });

    test('to a server that speaks first bring what it says', async () => {
      const tunnel = await Tunnel.open(makePair, {
        serve: (socket) => {
          socket.write('220 ready\r\n');
        },
      });
      expect(String((await once(await tunnel.connect(), 'data'))[0])).toBe('220 ready\r\n');
    });
  });

  describe(`${name}: half-close`, () => {
    test('by the app lets the service answer for as long as it likes', async () => {
      const answer = randomBytes(3 * mebibyte);
      const tunnel = await Tunnel.open(makePair, {
        serve: (socket) => {
          void received(socket).then((asked) => {
            socket.write(asked);
            socket.end(answer);
          });
        },
      });
      const app = await tunnel.connect();
      app.end('question');
      expect(digest(await received(app))).toBe(digest(Buffer.concat([Buffer.from('question'), answer])));
    });

    test('by the service lets the app go on', async () => {
      let tell!: (bytes: Buffer) => void;
      const heard = new Promise<Buffer>((resolve) => {
        tell = resolve;
      });
      const tunnel = await Tunnel.open(makePair, {
        serve: (socket) => {
          socket.end('bye');
          void received(socket).then(tell);
        },
      });
      const app = await tunnel.connect();
      expect(String(await received(app))).toBe('bye');
      const bytes = randomBytes(3 * mebibyte);
      app.end(bytes);
      expect(digest(await heard)).toBe(digest(bytes));
      expect(await tunnel.outcome('server')).toMatchObject({ end: 'finished' });
    });
  });

  describe(`${name}: reset`, () => {
    test('by the app reaches the service as one', async () => {
      const service = accepted();
      const tunnel = await Tunnel.open(makePair, { serve: service.serve });
      const app = await tunnel.connect();
      app.write('x');
      const socket = await service.socket;
      await once(socket.resume(), 'data');
      const failed = once(socket, 'error');
      app.resetAndDestroy();
      expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
      expect(await tunnel.outcome('client')).toMatchObject({ end: 'reset', code: 'CONNECTION_RESET' });
    });

    test('by the service reaches the app as one', async () => {
      const tunnel = await Tunnel.open(makePair, {
        serve: (socket) => {
          socket.once('data', () => socket.resetAndDestroy()).resume();
        },
      });
      const app = await tunnel.connect();
      const failed = once(app, 'error');
      app.resume().write('x');
      expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
      expect(await tunnel.outcome('server')).toMatchObject({ end: 'reset', code: 'CONNECTION_RESET' });
    });

    test('after an idle time reaches both, where there is one', async () => {
      const service = accepted();
      const tunnel = await Tunnel.open(makePair, { serve: service.serve, idleTimeoutMs: 50 });
      const app = await tunnel.connect();
      const failed = once(app, 'error');
      const far = once((await service.socket).resume(), 'error');
      expect([(await failed)[0], (await far)[0]]).toMatchObject([{ code: 'ECONNRESET' }, { code: 'ECONNRESET' }]);
      expect(await tunnel.outcome('client')).toMatchObject({ code: 'IDLE_TIMEOUT' });
    });
  });

  describe(`${name}: opening`, () => {
    test('that is refused resets the app and reports the code', async () => {
      const tunnel = await Tunnel.open(makePair, {
        answer: (stream, relay) => {
          const refusal = { code: 16, reason: 'no rule' };
          stream.refuse(refusal);
          relay.refused(refusal);
        },
      });
      const app = await tunnel.connect();
      const failed = once(app, 'error');
      app.resume().write('early');
      expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
      expect(await tunnel.outcome('client')).toMatchObject({ end: 'refused', code: 16, reason: 'no rule' });
    });

    test('that the app gives up is reported to the side that dials', async () => {
      const tunnel = await Tunnel.open(makePair, {
        answer: () => {
          /* dials for ever */
        },
      });
      const app = await tunnel.connect();
      app.write('early');
      await tunnel.until(() => tunnel.relays.server.length === 1);
      app.resetAndDestroy();
      expect(await tunnel.outcome('server')).toMatchObject({ end: 'reset' });
      expect([tunnel.drivers.client.session.streamCount, tunnel.drivers.server.session.streamCount]).toEqual([0, 0]);
    });
  });

  describe(`${name}: a reader that is slow`, () => {
    test('holds bounded memory, holds back no other stream, and gets every byte of 10 MiB', async () => {
      const bytes = randomBytes(10 * mebibyte);
      let first = true;
      const tunnel = await Tunnel.open(makePair, {
        serve: (socket) => {
          if (first) socket.end(bytes);
          else socket.pipe(socket);
          first = false;
        },
      });
      const slow = await tunnel.connect();
      const { log } = tunnel.drivers.server.session.lane;
      let most = 0;
      for (let n = 0; n < 20; n++) {
        // it reads nothing yet
        const quick = await tunnel.connect();
        quick.end('quick');
        expect(String(await within(30_000, 'an answer beside the slow reader', received(quick)))).toBe('quick');
        most = Math.max(most, log.unacked);
      }
      const hash = createHash('sha256');
      let read = 0;
      for await (const chunk of slow as AsyncIterable<Buffer>) {
        hash.update(chunk);
        read += chunk.length;
        most = Math.max(most, log.unacked);
        await new Promise(setImmediate);
      }
      expect([read, hash.digest('hex')]).toEqual([bytes.length, digest(bytes)]);
      expect(most).toBeLessThanOrEqual(mebibyte + 4 * 65_536);
    });
  });

  describe(`${name}: a session`, () => {
    test('outlives carriers that die in the middle of it', async () => {
      const tunnel = await Tunnel.open(makePair);
      const streams = Array.from({ length: 4 }, async () => {
        const bytes = randomBytes(4 * mebibyte);
        const app = await tunnel.connect();
        app.end(bytes);
        expect(digest(await received(app))).toBe(digest(bytes));
      });
      let done = false;
      void Promise.allSettled(streams).then(() => {
        done = true;
      });
      for (let deaths = 0; deaths < 12 && !done; deaths++) {
        for (let n = 0; n < 1 + deaths; n++) await new Promise(setImmediate);
        tunnel.drivers[deaths % 2 === 0 ? 'client' : 'server'].carrier?.duplex.destroy();
        await tunnel.attach();
      }
      await Promise.all(streams);
      expect(tunnel.told.client.filter((what) => what.startsWith('ended'))).toEqual([]);
    });

    test('that one end ends resets what is open, and the other end is told why', async () => {
      const service = accepted();
      const tunnel = await Tunnel.open(makePair, { serve: service.serve });
      const app = await tunnel.connect();
      app.write('x');
      const far = once((await service.socket).resume(), 'error');
      const near = once(app.resume(), 'error');
      tunnel.drivers.server.end({ code: 53, reason: 'draining' });
      expect([(await near)[0], (await far)[0]]).toMatchObject([{ code: 'ECONNRESET' }, { code: 'ECONNRESET' }]);
      expect(tunnel.told.client).toEqual(['ended: draining']);
      expect(await tunnel.outcome('client')).toMatchObject({ end: 'reset', code: 53 });
    });

    test('that does not resume carries the same bytes', async () => {
      const tunnel = await Tunnel.open(makePair, { resumable: false });
      const bytes = randomBytes(5 * mebibyte);
      const app = await tunnel.connect();
      app.end(bytes);
      expect(digest(await received(app))).toBe(digest(bytes));
      expect(tunnel.drivers.client.session.lane.log.unacked).toBe(0);
    });
  });

  test(`${name}: both ends export the same keying material, and other labels give other keys`, async () => {
    const { client, server } = await makePair();
    const [ours, theirs, other] = [
      client.exportKey('EXPORTER-x', Buffer.alloc(4)),
      server.exportKey('EXPORTER-x', Buffer.alloc(4)),
      client.exportKey('EXPORTER-y', Buffer.alloc(4)),
    ];
    expect([ours.length, ours.equals(theirs), ours.equals(other)]).toEqual([32, true, false]);
    for (const { duplex } of [client, server]) duplex.destroy();
  });
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Everything up to the end of the other side's half. */
async function received(socket: net.Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

/** The first connection of a service. */
function accepted(): { serve: (socket: net.Socket) => void; socket: Promise<net.Socket> } {
  let serve!: (socket: net.Socket) => void;
  const socket = new Promise<net.Socket>((resolve) => {
    serve = resolve;
  });
  return { serve, socket };
}

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from '@jest/globals';
import { testEgress } from '../support/in-process.ts';
import { testIngress } from '../support/in-process-ingress.ts';
import { atEnd } from '../support/scope.ts';

/**
 * A path whose connections die, one way or the other, after a random number of bytes, in the middle of a handshake as
 * well as of a frame.
 */
async function dyingPath(to: number, meanBytes: number): Promise<{ port: number; deaths: () => number }> {
  let deaths = 0;
  const server = net.createServer((near) => {
    const far = net.connect({ port: to, host: '127.0.0.1', noDelay: true });
    let left = Math.ceil(-Math.log(1 - Math.random()) * meanBytes);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one
        .on('error', () => {
          /* its close is what counts */
        })
        .on('close', () => other.destroy());
      one
        .on('data', (chunk: Buffer) => {
          left -= chunk.length;
          if (left > 0) {
            if (!other.write(chunk)) one.pause();
            return;
          }
          deaths++;
          other.write(chunk.subarray(0, chunk.length + left), () => {
            near.resetAndDestroy();
            far.resetAndDestroy();
          });
        })
        .on('drain', () => other.resume());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.close();
  });
  return { port: (server.address() as net.AddressInfo).port, deaths: () => deaths };
}

/** A service that hashes what it is sent up to the end, and answers with bytes of its own meanwhile. */
async function service(bytes: Buffer, connections: number): Promise<{ at: string; digests: Promise<string[]> }> {
  const digests: string[] = [];
  let tell!: (all: string[]) => void;
  const all = new Promise<string[]>((resolve) => {
    tell = resolve;
  });
  const ended = (how: string): void => {
    if (digests.push(how) === connections) tell(digests);
  };
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    atEnd(() => {
      socket.destroy();
    });
    const hash = createHash('sha256');
    socket
      .on('error', (error) => ended(error.message))
      .on('data', (chunk: Buffer) => {
        hash.update(chunk);
      })
      .on('end', () => ended(hash.digest('hex')));
    socket.end(bytes);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.close();
  });
  return { at: `127.0.0.1:${(server.address() as net.AddressInfo).port}`, digests: all };
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

test.each([
  [300_000, 20, 400_000],
  [60_000, 8, 150_000],
])(
  'connections over a path that dies every %i bytes or so lose none, both ways',
  async (meanBytes, connections, size) => {
    const down = randomBytes(size);
    const { at, digests } = await service(down, connections);
    const egress = await testEgress();
    const path = await dyingPath(egress.port, meanBytes);
    const ingress = await testIngress({ ...egress, port: path.port }, egress.certs.client('alice'), {
      to: at,
      connectTimeoutMs: 30_000,
    });
    const sent: string[] = [];
    await Promise.all(
      Array.from({ length: connections }, async () => {
        const up = randomBytes(1 + Math.floor(Math.random() * size));
        sent.push(digest(up));
        const app = net.connect({ port: ingress.port, host: '127.0.0.1', allowHalfOpen: true });
        atEnd(() => {
          app.destroy();
        });
        const hash = createHash('sha256');
        app.on('data', (chunk: Buffer) => {
          hash.update(chunk);
        });
        app.end(up);
        await once(app, 'close');
        expect(hash.digest('hex')).toBe(digest(down));
      }),
    );
    await Promise.all(
      Array.from({ length: connections }, (_, n) => egress.recorded((record) => record.stream === 2 * n + 1)),
    );
    expect((await digests).toSorted()).toEqual(sent.toSorted());
    expect(path.deaths()).toBeGreaterThan(3);
    expect(egress.records.map(({ end }) => end)).toEqual(Array.from({ length: connections }, () => 'finished'));
  },
);

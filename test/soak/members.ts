/**
 * Attackers with a certificate that the egress accepts: they speak its protocols and spend what costs them little and
 * the egress much.
 * Rule: each has an identity of its own, and keeps to its credit unless its attack is to break the rules.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http2 from 'node:http2';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { connectSession } from '@adit/shared/session/connect';
import { encodeFrame, frameType } from '../../packages/shared/src/protocol/mux/frame.ts';
import { openFrame, resetFrame } from '../support/hostile-frames.ts';
import { tlsCarrier } from '../support/tls-carrier.ts';
import type { Attack, AttackOptions } from './attack.ts';
import { secure } from './connect.ts';

const oneByte = encodeFrame(frameType.data, 1, Uint8Array.of(0x61));
const padding = encodeFrame(0xf0, 0, randomBytes(16_000));
const host = '127.0.0.1';
/** They do not come from where honest clients come from. */
const from = '127.0.0.67';
const silentName = (n: number): string => `n${n}.silent.example`;

export const members: Readonly<Record<string, Attack>> = {
  'one-byte frames': async (options) => {
    const socket = await session('one-byte frames', options);
    socket.write(openFrame(1, { host, port: options.services.deaf }));
    socket.write(Buffer.alloc(65_536 * oneByte.length, oneByte));
    await held(socket, 1_000);
  },
  'padding before a dial that hangs': async (options, over) => {
    const socket = await session('padding before a dial that hangs', options);
    const hangs = options.silentNames ? { host: silentName(0), port: 80 } : { host, port: options.services.deaf };
    socket.write(openFrame(1, hangs));
    for (let n = 0; n < 40 && !over() && !socket.destroyed; n++) {
      socket.write(Buffer.concat([oneByte, padding]));
      await delay(10);
    }
    await held(socket, 200);
  },
  'OPEN and RESET without end': async (options, over) => {
    const socket = await session('OPEN and RESET without end', options);
    for (let id = 1; id < 20_000 && !over() && !socket.destroyed;) {
      const pairs: Uint8Array[] = [];
      for (const last = id + 160; id < last; id += 2)
        pairs.push(openFrame(id, { host, port: options.services.echo }), resetFrame(id));
      socket.write(Buffer.concat(pairs));
      await delay(20);
    }
    await held(socket, 0);
  },
  'names of a silent server': async (options) => {
    if (!options.silentNames) return delay(1_000);
    const socket = await session('names of a silent server', options);
    const frames = Array.from({ length: 400 }, (_, n) => [
      openFrame(2 * n + 1, { host: silentName(n), port: 80 }),
      resetFrame(2 * n + 1),
    ]);
    socket.write(Buffer.concat(frames.flat()));
    return held(socket, 2_000);
  },
  'a reader that does not read': async (options) => {
    const socket = await session('a reader that does not read', options);
    for (let id = 1; id < 32; id += 2) {
      socket.write(openFrame(id, { host, port: options.services.pours }));
      socket.write(encodeFrame(frameType.data, id, Buffer.from('64')));
    }
    socket.pause();
    await held(socket, 3_000);
  },
  'nonsense after WELCOME': async (options) => {
    const socket = await session('nonsense after WELCOME', options);
    socket.write(Buffer.concat([Buffer.of(Math.floor(Math.random() * 256), 0, 0, 16), randomBytes(2_000)]));
    await held(socket, 500);
  },
  'sessions that are left behind': async (options) => {
    for (let n = 0; n < 10; n++) (await session('sessions that are left behind', options)).destroy();
  },
  'HTTP/2 streams reset at once': async (options, over) => {
    const { client, ended } = await http2Client('HTTP/2 streams reset at once', options);
    for (let round = 0; round < 20 && !over() && !client.destroyed; round++) {
      for (let n = 0; n < 20; n++) connect(client, options.services.echo).close(http2.constants.NGHTTP2_CANCEL);
      await Promise.race([delay(100), ended]);
    }
    client.destroy();
  },
  'HTTP/2 to a service that does not read': async (options) => {
    const { client, ended } = await http2Client('HTTP/2 to a service that does not read', options);
    const streams = Array.from({ length: 8 }, () => connect(client, options.services.deaf));
    for (let n = 0; n < 500 && !client.destroyed; n++) for (const stream of streams) stream.write('a');
    await Promise.race([delay(1_000), ended]);
    client.destroy();
  },
};

/** A new session of the identity of this attack; what the egress says is thrown away. */
async function session(kind: string, { port, ca, pairs }: AttackOptions): Promise<Duplex> {
  const socket = await secure({ port, ca, ...pairs[kind]!, from }, 'adit/1');
  try {
    await connectSession(tlsCarrier(socket, 'egress'), { window: 262_144, agent: 'soak', deadlineMs: 30_000 });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return socket.resume();
}

/** Keeps a connection for a while, unless the egress ends it, and cuts it. */
async function held(socket: Duplex, ms: number): Promise<void> {
  if (!socket.destroyed) await Promise.race([delay(ms), once(socket, 'close')]);
  socket.destroy();
}

async function http2Client(kind: string, { port, ca, pairs }: AttackOptions) {
  const socket = await secure({ port, ca, ...pairs[kind]!, from }, 'h2');
  const client = http2.connect(`https://${host}`, { createConnection: () => socket });
  client.on('error', () => {
    /* the egress cut it */
  });
  return { client, ended: once(client, 'close') };
}

function connect(client: http2.ClientHttp2Session, port: number): http2.ClientHttp2Stream {
  const stream = client.request({ ':method': 'CONNECT', ':authority': `${host}:${port}` }, { endStream: false });
  stream.on('error', () => {
    /* it is refused or cut */
  });
  return stream.resume();
}

/** The names of the attacks, each of which needs a certificate. */
export const memberKinds: readonly string[] = Object.keys(members);

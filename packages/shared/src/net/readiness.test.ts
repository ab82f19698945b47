import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import { certificates } from '../../../../test/support/certificates.ts';
import { run } from '../../../../test/support/child.ts';
import { atEnd, eventually, within } from '../../../../test/support/scope.ts';
import { fromSource } from '../../../../test/support/source-program.ts';
import { awaitReadable } from './readiness.ts';

const { egress } = certificates();
const onLinux = process.platform === 'linux' ? test : test.skip;
const probe = join(import.meta.dirname, '..', '..', '..', '..', 'test', 'support', 'readiness-probe.ts');

interface Waiting {
  /** The accepted socket. */
  readonly ours: net.Socket;
  readonly peer: net.Socket;
  readonly readable: Promise<boolean> | undefined;
}

/** An accepted socket that is waited for from the beginning, and its peer. */
async function waiting(
  prepare: (ours: net.Socket) => void = () => {},
  wait: (ours: net.Socket) => Promise<boolean> | undefined = awaitReadable,
): Promise<Waiting> {
  const server = net.createServer().listen(0, '127.0.0.1');
  atEnd(() => {
    server.close();
  });
  await once(server, 'listening');
  const accepted = new Promise<Pick<Waiting, 'ours' | 'readable'>>((resolve) => {
    server.once('connection', (ours) => {
      prepare(ours);
      resolve({ ours, readable: wait(ours) });
    });
  });
  const peer = net.connect({ port: (server.address() as net.AddressInfo).port, host: '127.0.0.1' });
  const { ours, readable } = await within(15_000, 'the connection', accepted);
  for (const socket of [ours, peer]) {
    socket.on('error', () => {
      /* its close counts */
    });
    atEnd(() => socket.destroy());
  }
  return { ours, peer, readable };
}

/** Gives the socket to TLS; resolves with what becomes of it. */
function secured(ours: net.Socket): Promise<tls.TLSSocket | Error> {
  const server = tls.createServer({ cert: readFileSync(egress.cert), key: readFileSync(egress.key) });
  return within(
    15_000,
    'TLS or its failure',
    new Promise((resolve) => {
      server.once('secureConnection', resolve).once('tlsClientError', resolve).emit('connection', ours);
    }),
  );
}

test('it resolves when something comes, and TLS reads all of that from the kernel', async () => {
  const { ours, peer, readable } = await waiting();
  const dialled = tls.connect({ socket: peer, rejectUnauthorized: false });
  expect(await within(15_000, 'the hello', readable!)).toBe(true);
  expect(ours.bytesRead).toBe(0);

  const secure = (await secured(ours)) as tls.TLSSocket;
  dialled.end('after the handshake');

  expect(((await secure.toArray()) as Buffer[]).join('')).toBe('after the handshake');
});

test('nothing is read while the socket waits to be given to TLS, whatever comes', async () => {
  const { ours, peer, readable } = await waiting();
  peer.write('x');
  await within(15_000, 'the first byte', readable!);
  peer.write(Buffer.alloc(20_000_000)); // more than the kernel takes
  await eventually('the kernel to be full', () => peer.writableLength > 0 && peer.bytesWritten > 1);
  await new Promise(setImmediate);

  expect(ours.bytesRead).toBe(0);
  expect(ours.readableLength).toBe(0);
});

test('a peer that says nothing is waited for', async () => {
  const silent = await waiting();
  let resolved = false;
  void silent.readable!.then(() => (resolved = true));
  const other = await waiting();
  other.peer.write('x');
  await within(15_000, 'the other one', other.readable!);
  expect(resolved).toBe(false);
  silent.peer.write('x');
  expect(await within(15_000, 'its first byte', silent.readable!)).toBe(true);
});

const leaving = [
  ['ends without a byte', (peer: net.Socket): unknown => peer.end()],
  ['is reset', (peer: net.Socket): unknown => peer.resetAndDestroy()],
] as const;

onLinux.each(leaving)('a connection that %s has nothing to read, and is closed', async (_how, leave) => {
  const { ours, peer, readable } = await waiting();
  const closed = once(ours, 'close');
  leave(peer);
  expect(await within(15_000, 'the end', readable!)).toBe(false);
  await within(15_000, 'its close', closed);
});

test.each(leaving)('without native calls one that %s is readable, and TLS fails at once', async (_how, leave) => {
  const { ours, peer, readable } = await waiting((socket) => {
    const { _handle: handle } = socket as unknown as { _handle: object };
    Object.defineProperty(handle, 'fd', { value: -1 });
  });
  const closed = once(ours, 'close');
  leave(peer);
  expect(await within(15_000, 'the end', readable!)).toBe(true);

  expect(await secured(ours)).toMatchObject({ code: 'ECONNRESET' });
  ours.destroy();
  await within(15_000, 'its close', closed);
});

test.each([
  ['ends', (peer: net.Socket): unknown => peer.end()],
  ['is reset', (peer: net.Socket): unknown => peer.resetAndDestroy()],
])('one that %s after its first bytes, before it is given to TLS, fails there', async (_how, leave) => {
  const { ours, peer, readable } = await waiting();
  peer.write(Buffer.from([0x16, 0x03, 0x01]));
  await within(15_000, 'the first bytes', readable!);
  const left = once(peer, 'close');
  leave(peer);
  ours.allowHalfOpen = false;
  expect(await secured(ours)).toMatchObject({ code: 'ECONNRESET' });
  ours.destroy();
  await within(15_000, 'the close of the peer', left);
});

test('a socket that is destroyed meanwhile has nothing to read', async () => {
  const { ours, readable } = await waiting();
  ours.destroy();
  expect(await within(15_000, 'the answer', readable!)).toBe(false);
});

describe('where it cannot be done', () => {
  test('a socket that is closed, or that something was read from, is left alone', async () => {
    expect((await waiting((ours) => ours.destroy())).readable).toBeUndefined();
    expect(awaitReadable(new net.Socket())).toBeUndefined();
    const { ours, peer } = await waiting(undefined, () => undefined);
    const first = once(ours, 'data');
    peer.write('before');
    await within(15_000, 'the first bytes', first);
    expect(awaitReadable(ours)).toBeUndefined();
    const next = once(ours, 'data') as Promise<[Buffer]>;
    peer.write('as before');
    expect(String((await within(15_000, 'the bytes', next))[0])).toBe('as before');
  });

  test.each(['useUserBuffer', 'readStop', 'onread'])('a handle without %s is left alone', async (missing) => {
    const { readable } = await waiting((ours) => {
      const { _handle: handle } = ours as unknown as { _handle: object };
      const without = new Proxy(handle, { get: (of, name) => (name === missing ? undefined : Reflect.get(of, name)) });
      expect(awaitReadable(Object.create(ours, { _handle: { value: without } }) as net.Socket)).toBeUndefined();
    });
    expect(readable).toBeDefined();
  });

  // the last of this file: afterwards no socket of this process is waited for
  test('where Node reads into another buffer the bytes are in the socket, and no other is changed', async () => {
    const { ours, peer, readable } = await waiting((socket) => {
      const { _handle: handle } = socket as unknown as { _handle: { useUserBuffer: unknown } };
      handle.useUserBuffer = () => 0;
    });
    const dialled = tls.connect({ socket: peer, rejectUnauthorized: false });
    expect(await within(15_000, 'the hello', readable!)).toBe(true);
    expect(ours.readableLength).toBeGreaterThan(0);
    expect(ours.readableLength).toBe(ours.bytesRead);
    const secure = (await secured(ours)) as tls.TLSSocket;
    dialled.end('none is lost');

    expect(((await secure.toArray()) as Buffer[]).join('')).toBe('none is lost');
    expect((await waiting()).readable).toBeUndefined();
  });
});

/** Beside this one: the programs in OTHER_NODES, separated by colons. */
const nodes = [process.execPath, ...(process.env['OTHER_NODES'] ?? '').split(':').filter((path) => path !== '')];

test.each(nodes)('TLS over such a socket reads more than 32 KiB at once, and each byte once: %s', async (node) => {
  const { stdout } = await run(node, [...fromSource, probe, egress.cert, egress.key], { timeoutMs: 60_000 });

  expect(JSON.parse(stdout)).toEqual({ waited: true, exact: true, large: true });
});

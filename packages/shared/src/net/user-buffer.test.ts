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
import { findOnreadSymbols, readIntoBuffers } from './user-buffer.ts';

const { egress } = certificates();
const probe = join(import.meta.dirname, '..', '..', '..', '..', 'test', 'support', 'user-buffer-probe.ts');

/** An accepted TLS socket, paused, and its peer. */
async function accepted(): Promise<{ ours: tls.TLSSocket; peer: tls.TLSSocket }> {
  const server = tls.createServer({ cert: readFileSync(egress.cert), key: readFileSync(egress.key) });
  server.listen(0, '127.0.0.1');
  atEnd(() => {
    server.close();
  });
  await once(server, 'listening');
  const accepting = once(server, 'secureConnection') as Promise<[tls.TLSSocket]>;
  const peer = tls.connect({ port: (server.address() as net.AddressInfo).port, rejectUnauthorized: false });
  const [ours] = await within(15_000, 'TLS', accepting);
  for (const socket of [ours, peer]) {
    socket.on('error', () => {
      /* its close counts */
    });
    atEnd(() => socket.destroy());
  }
  return { ours: ours.pause(), peer };
}

/** Buffers of their own for all reads, and what was read. */
function reads() {
  const got: Buffer[] = [];
  let buffer = Buffer.alloc(0);
  return {
    got,
    next: () => (buffer = Buffer.alloc(16_384)),
    arrived: (length: number) => {
      got.push(buffer.subarray(0, length));
    },
  };
}

test('what was read before comes first, and what follows goes into the buffers, up to the end', async () => {
  const { ours, peer } = await accepted();
  ours.read(0); // begins to read, and takes nothing
  peer.write('before');
  await eventually('the first bytes', () => ours.readableLength > 0);
  const into = reads();

  const before = readIntoBuffers(ours, into);
  peer.end('after');
  ours.resume();
  await within(15_000, 'the end', once(ours, 'end'));

  expect(Buffer.from(before!).toString()).toBe('before');
  expect(Buffer.concat(into.got).toString()).toBe('after');
});

test('a paused socket reads no further, and goes on when it is resumed', async () => {
  const { ours, peer } = await accepted();
  const into = reads();
  const bytes = Buffer.alloc(4_000_000, 'x');
  readIntoBuffers(ours, { ...into, arrived: (length) => (into.arrived(length), ours.pause()) });

  peer.end(bytes);
  ours.resume();
  await eventually('the first bytes', () => into.got.length > 0);
  await new Promise(setImmediate);
  const read = Buffer.concat(into.got).length;
  expect(read).toBeLessThan(200_000); // what TLS had decrypted
  while (Buffer.concat(into.got).length < bytes.length) {
    ours.resume();
    await new Promise(setImmediate);
  }

  expect(Buffer.concat(into.got).equals(bytes)).toBe(true);
});

describe('where Node is another one', () => {
  test('a socket is left alone whose symbols or handle are not the known ones', async () => {
    const { ours, peer } = await accepted();
    const { buffer, ...others } = findOnreadSymbols()!;

    expect(readIntoBuffers(ours, reads(), { ...others, buffer: Symbol('elsewhere') })).toBeUndefined();
    expect(readIntoBuffers(new net.Socket(), reads())).toBeUndefined();
    expect(typeof buffer).toBe('symbol');
    const chunk = once(ours, 'data') as Promise<[Buffer]>;
    ours.resume();
    peer.write('as before');

    expect(String((await within(15_000, 'the bytes', chunk))[0])).toBe('as before');
  });

  test('a second time it is left alone', async () => {
    const { ours } = await accepted();
    expect(readIntoBuffers(ours, reads())).toHaveLength(0);
    expect(readIntoBuffers(ours, reads())).toBeUndefined();
  });

  // the last of this file: afterwards no socket of this process is changed
  test('a chunk that comes by other means ends the socket, and no other is changed', async () => {
    const { ours } = await accepted();
    readIntoBuffers(ours, reads());

    ours.push(Buffer.from('garbage'));

    expect(ours.destroyed).toBe(true);
    expect(ours.errored?.message).toContain('does not read into the buffers');
    expect(readIntoBuffers((await accepted()).ours, reads())).toBeUndefined();
  });
});

/** Beside this one: the programs in OTHER_NODES, separated by colons. */
const nodes = [process.execPath, ...(process.env['OTHER_NODES'] ?? '').split(':').filter((path) => path !== '')];

test.each(nodes)('TLS of every kind is read into buffers, each byte once: %s', async (node) => {
  const { stdout } = await run(node, [...fromSource, probe, egress.cert, egress.key], { timeoutMs: 60_000 });

  expect(JSON.parse(stdout)).toEqual(
    ['accepted', 'dialled', 'over a duplex', 'in TLS'].map((kind) => ({ kind, taken: true, exact: true })),
  );
});

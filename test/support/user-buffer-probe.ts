/**
 * Whether the Node that runs this reads TLS into slabs: a program of its own, for any version of Node. Arguments: a
 * certificate and its key. Prints for each kind of TLS socket whether it was changed and its bytes were exact.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type net from 'node:net';
import { duplexPair, type Duplex } from 'node:stream';
import tls from 'node:tls';
import { SlabReads } from '../../packages/shared/src/net/carrier-reads.ts';
import { poisonReleased } from '../../packages/shared/src/net/slab.ts';
import { readIntoBuffers } from '../../packages/shared/src/net/user-buffer.ts';

poisonReleased();
const [certFile, keyFile] = process.argv.slice(2);
const credentials = { cert: readFileSync(certFile!), key: readFileSync(keyFile!) };
const wholeBytes = 3_000_000;

async function overTcp(): Promise<[tls.TLSSocket, tls.TLSSocket]> {
  const server = tls.createServer(credentials).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepting = once(server, 'secureConnection') as Promise<[tls.TLSSocket]>;
  const client = tls.connect({ port: (server.address() as net.AddressInfo).port, rejectUnauthorized: false });
  const [accepted] = await accepting;
  server.close();
  return [accepted, client];
}

async function over(near: Duplex, far: Duplex): Promise<[tls.TLSSocket, tls.TLSSocket]> {
  const accepted = new tls.TLSSocket(near, { isServer: true, ...credentials });
  const client = tls.connect({ socket: far, rejectUnauthorized: false });
  await once(client, 'secureConnect');
  return [accepted, client];
}

/** Reads everything from the one that the other writes, in pieces of any size. */
async function transfer(kind: string, [reader, writer]: [tls.TLSSocket, tls.TLSSocket]): Promise<object> {
  const sent = randomBytes(wholeBytes);
  const got: Buffer[] = [];
  reader.pause();
  const before = readIntoBuffers(reader, new SlabReads((bytes) => got.push(Buffer.from(bytes))));
  if (before) got.unshift(Buffer.from(before));
  else reader.on('data', (chunk: Buffer) => got.push(chunk));
  reader.resume();
  for (let at = 0, size = 1; at < wholeBytes; at += size, size = (size * 7 + 1) % 70_000) {
    if (!writer.write(sent.subarray(at, at + size))) await once(writer, 'drain');
    size = Math.min(size, wholeBytes - at);
  }
  writer.end();
  await once(reader, 'end');
  reader.destroy();
  writer.destroy();
  return { kind, taken: before !== undefined, exact: Buffer.concat(got).equals(sent) };
}

const results: object[] = [];
results.push(await transfer('accepted', await overTcp()));
const [served, dialled] = await overTcp();
results.push(await transfer('dialled', [dialled, served]));
results.push(await transfer('over a duplex', await over(...duplexPair())));
results.push(await transfer('in TLS', await over(...(await overTcp()))));
process.stdout.write(JSON.stringify(results));
process.exit(0);

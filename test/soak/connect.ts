/** CONNECT to an egress, as clients without an ingress do it: HTTP/1.1 and HTTP/2 over TLS, and the TLS under both. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { within } from '../support/scope.ts';

/** Where, as whom, and to what; paths of PEM files. */
export interface ConnectAt {
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** HOST:PORT */
  readonly target: string;
  /** The address to come from; default: that of everybody. */
  readonly from?: string;
}
type Exchange = (duplex: Duplex) => Promise<void>;

const patienceMs = 30_000;

/** A finished TLS handshake. */
export async function secure(at: Omit<ConnectAt, 'target'>, alpn: string): Promise<tls.TLSSocket> {
  const socket = tls.connect({
    host: '127.0.0.1',
    port: at.port,
    ...(at.from !== undefined && { localAddress: at.from }),
    ca: readFileSync(at.ca),
    cert: readFileSync(at.cert),
    key: readFileSync(at.key),
    ALPNProtocols: [alpn],
    minVersion: 'TLSv1.3',
  });
  try {
    await within(patienceMs, 'a TLS handshake', once(socket, 'secureConnect'));
  } catch (error) {
    socket.destroy();
    throw error;
  }
  socket.on('error', () => {
    /* it is followed by a close, which is waited for */
  });
  return socket;
}

/** A tunnel of a connection of its own. */
export async function connectByHttp1(at: ConnectAt, exchange: Exchange): Promise<void> {
  const socket = await secure(at, 'http/1.1');
  try {
    socket.write(`CONNECT ${at.target} HTTP/1.1\r\nHost: ${at.target}\r\n\r\n`);
    const [head] = (await within(patienceMs, 'an answer', once(socket, 'data'))) as [Buffer];
    if (!/^HTTP\/1\.1 200 .*\r\n\r\n$/s.test(head.toString())) throw new Error(`the answer was ${head.toString()}`);
    await exchange(socket);
  } finally {
    socket.destroy();
  }
}

/** A few tunnels at once in one connection. */
export async function connectByHttp2(at: ConnectAt, exchange: Exchange): Promise<void> {
  const socket = await secure(at, 'h2');
  const session = http2.connect('https://127.0.0.1', { createConnection: () => socket });
  session.on('error', () => {
    /* its streams are told */
  });
  const tunnel = async (): Promise<void> => {
    const stream = session.request({ ':method': 'CONNECT', ':authority': at.target }, { endStream: false });
    const [answer] = (await within(patienceMs, 'an answer', once(stream, 'response'))) as [Record<string, unknown>];
    if (answer[':status'] !== 200) throw new Error(`the answer was ${String(answer[':status'])}`);
    await exchange(stream);
    stream.end();
    await within(patienceMs, 'the end of a stream', once(stream.resume(), 'close'));
  };
  try {
    await Promise.all(Array.from({ length: 4 }, tunnel));
  } finally {
    session.destroy();
  }
}

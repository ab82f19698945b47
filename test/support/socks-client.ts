/**
 * A SOCKS5 client of our own, for tests that look at each step: the reply is awaited before a byte is sent.
 */
import { once } from 'node:events';
import { client, type Client } from './services.ts';

/** A connection on which CONNECT was asked for; `reply` resolves with REP of the reply (RFC 1928 section 6). */
export interface SocksClient extends Client {
  readonly reply: Promise<number>;
}

/** Asks for an IPv4 address: "127.0.0.1:8080". */
export async function askSocks(socksPort: number, target: string): Promise<SocksClient> {
  const { socket, received } = await client(socksPort);
  const [host = '', port = ''] = target.split(':');
  const chosen = once(socket, 'data');
  socket.write(Buffer.of(5, 1, 0));
  await chosen;
  const answered = once(socket, 'data') as Promise<[Buffer]>;
  socket.write(Buffer.from([5, 1, 0, 1, ...host.split('.').map(Number), Number(port) >> 8, Number(port) & 0xff]));
  return { socket, received, reply: answered.then(([bytes]) => bytes[1]!) };
}

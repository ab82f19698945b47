/**
 * Small TCP services of our own, and the client side of them: what a tunnel has to carry, down to FIN and RST.
 * Rule: every socket is half-open capable and has an `error` listener; a reset and an end are told apart.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { atEnd, within } from './scope.ts';

export interface Service {
  readonly port: number;
  /** `HOST:PORT` */
  readonly at: string;
  /** Sockets that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  /** No connection is open. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** A service on a port of the kernel's choosing; each connection is `serve`d. */
export async function service(
  serve: (socket: Socket) => void,
  { port = 0, host = '127.0.0.1', noDelay = true, pauseOnConnect = false } = {},
): Promise<Service> {
  const sockets = new Set<Socket>();
  const idlers: (() => void)[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay, pauseOnConnect }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0) for (const tell of idlers.splice(0)) tell();
    });
    serve(socket);
  });
  server.listen({ port, host, backlog: 4096 });
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  const idle = (): Promise<void> =>
    within(
      30_000,
      'the end of every connection at a service',
      new Promise((resolve) => {
        if (sockets.size === 0) resolve();
        else idlers.push(resolve);
      }),
      () => `${sockets.size} are open`,
    );
  atEnd(close);
  const { port: taken } = server.address() as AddressInfo;
  return { port: taken, at: `${host}:${taken}`, sockets, idle, close };
}

/** Gives back every byte, and the end. */
export const echo = (): Promise<Service> =>
  service((socket) => {
    socket.pipe(socket);
  });

/** Reads to the end, then says how many bytes and their SHA-256, and ends: `4 9f86d0...`. */
export const hashing = (): Promise<Service> =>
  service((socket) => {
    const hash = createHash('sha256');
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      bytes += chunk.length;
    });
    socket.on('end', () => {
      socket.end(`${bytes} ${hash.digest('hex')}`);
    });
  });

/** Resets each connection at its first bytes. */
export const resetting = (): Promise<Service> =>
  service((socket) => {
    socket.once('data', () => {
      socket.resetAndDestroy();
    });
  });

/**
 * A port on which nothing listens. The kernel does not hand it out before the end of the file, because a connection
 * to it stays open; a program that asks for it by number gets it.
 */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const near = connect({ port, host: '127.0.0.1' });
  const [far] = await accepted;
  for (const socket of [near, far]) socket.on('error', () => {});
  atEnd(() => {
    near.destroy();
    far.destroy();
  });
  server.close();
  return port;
}

/** Resolves when a connection to the port is accepted: some programs say that they listen a moment before they do. */
export async function accepting(port: number): Promise<void> {
  const accepts = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect({ port, host: '127.0.0.1' }, () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => {
        resolve(false);
      });
    });
  await within(
    30_000,
    `a listener on ${port}`,
    (async () => {
      while (!(await accepts())) await delay(10);
    })(),
  );
}

/** How the incoming direction of a socket ended. */
export type Ending = 'end' | 'reset';
export interface Received {
  readonly bytes: Buffer;
  readonly ending: Ending;
}

/** A connection as a client program has it; `received` settles when the other side ends or resets. */
export interface Client {
  readonly socket: Socket;
  readonly received: Promise<Received>;
}

/** Connects to 127.0.0.1; fails if it cannot. A connection that is reset before we look counts as one that was made. */
export async function client(port: number): Promise<Client> {
  const { socket, received } = watched(connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }));
  await within(
    30_000,
    `connect to ${port}`,
    Promise.race([
      new Promise((resolve) => {
        socket.once('connect', resolve);
      }),
      received,
    ]),
  );
  return { socket, received };
}

/** A socket that is destroyed at the end of the file, with what it receives. */
export function watched(socket: Socket): Client {
  atEnd(() => {
    socket.destroy();
  });
  const received = receive(socket);
  received.catch(() => {}); // Only a test that awaits it has to fail.
  return { socket, received };
}

/**
 * Collects what arrives on a socket until its end or reset. Anything that is not an end is a reset: a silent close is a
 * failure.
 */
export function receive(socket: Socket): Promise<Received> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    const done = (ending: Ending): void => {
      resolve({ bytes: Buffer.concat(chunks), ending });
    };
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
    });
    socket.on('end', () => {
      done('end');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') done('reset');
      else reject(error);
    });
    socket.on('close', () => {
      reject(new Error('closed without an end and without a reset'));
    });
  });
}

/** Sends, ends, and gives what comes back until its end; a reset is an error. */
export async function ask(port: number, question: string | Buffer): Promise<string> {
  const { socket, received } = await client(port);
  socket.end(question);
  const { bytes, ending } = await within(30_000, `an answer from ${port}`, received);
  socket.destroy();
  if (ending === 'reset') throw new Error(`reset after ${bytes.length} bytes`);
  return bytes.toString();
}

/** Connects, sends, and resolves with how the connection ends. */
export async function endingOf(port: number, question = 'hello'): Promise<Ending> {
  const { socket, received } = await client(port);
  socket.write(question);
  const { ending } = await within(30_000, `the end of a connection to ${port}`, received);
  socket.destroy();
  return ending;
}

/** The next chunk. */
export async function chunkFrom(socket: Socket, ms = 30_000): Promise<Buffer> {
  const [chunk] = (await within(ms, 'bytes', once(socket, 'data'))) as [Buffer];
  return chunk;
}

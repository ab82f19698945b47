/**
 * A listener on a TCP address, a Unix socket, or the sockets of one name that systemd opened.
 * Rule: every socket that it hands over allows half-open, is paused unless asked otherwise, and has an `error` listener
 * from birth. A failing accept is survived and reported. A Unix socket is for its owner only (0600); it replaces a
 * socket that nobody answers on, and nothing else.
 * Not here: reading from the sockets, TLS, limits. Closing the listener leaves its connections alone.
 */
import { chmodSync, closeSync, lstatSync, openSync, statSync, unlinkSync } from 'node:fs';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { devNull } from 'node:os';
import { dirname } from 'node:path';
import { AditError, messageOf } from '../errors.ts';
import type { HostPort } from '../protocol/destination.ts';
import type { PassedSocket } from './activation.ts';
import { descriptorOf } from './descriptor.ts';

type OwnAddress = (HostPort & { readonly kind: 'tcp' }) | { readonly kind: 'unix'; readonly path: string };
/** The sockets that systemd opened under this name. They keep living when they are closed here. */
type PassedName = { readonly kind: 'systemd'; readonly name: string };
export type ListenAddress = OwnAddress | PassedName;
/** What one server is bound to: an address of its own, or one descriptor of systemd. */
type Binding = OwnAddress | (PassedName & Pick<PassedSocket, 'fd'>);

export interface ListenOptions {
  readonly pauseOnConnect?: boolean;
  readonly noDelay?: boolean;
  /** Connections that wait for accept; the kernel may cap it (net.core.somaxconn). */
  readonly backlog?: number;
  /**
   * Called with one sentence, at most every ten seconds, while connections are lost: accept fails, or file descriptors
   * ran out.
   */
  readonly onTrouble?: (sentence: string) => void;
  /** The sockets that systemd handed over. */
  readonly sockets?: readonly PassedSocket[];
}

export const listenDefaults = { pauseOnConnect: true, noDelay: true, backlog: 4096 } as const;

export interface Listener {
  /**
   * For logs: `127.0.0.1:5432`, `[::1]:5432`, the path of a Unix socket, or `systemd:NAME` for one that systemd opened;
   * several of one name are separated by commas.
   */
  readonly address: string;
  /** The port in use; 0 for a Unix socket. */
  readonly port: number;
  /** The descriptors of its sockets, on systems that have them. */
  readonly descriptors: readonly number[];
  /** Stops accepting and frees the address; connections live on. */
  close(): Promise<void>;
}

/** Listens. `onConnection` owns each socket. Fails with LISTEN_FAILED or ACTIVATION_INVALID. */
export async function listen(
  at: ListenAddress,
  onConnection: (socket: Socket) => void,
  options: ListenOptions = {},
): Promise<Listener> {
  if (at.kind !== 'systemd') return await listenAt(at, onConnection, options);
  const passed = options.sockets?.filter(({ name }) => name === at.name) ?? [];
  if (passed.length === 0)
    throw new AditError(
      'ACTIVATION_INVALID',
      `systemd:${at.name} is not there: systemd handed over no socket of that name.`,
    );
  const listeners: Listener[] = [];
  for (const { fd } of passed) listeners.push(await listenAt({ ...at, fd }, onConnection, options));
  return {
    address: listeners.map(({ address }) => address).join(', '),
    port: listeners[0]!.port,
    descriptors: listeners.flatMap(({ descriptors }) => descriptors),
    close: async () => {
      await Promise.all(listeners.map((listener) => listener.close()));
    },
  };
}

async function listenAt(
  at: Binding,
  onConnection: (socket: Socket) => void,
  options: ListenOptions,
): Promise<Listener> {
  const { pauseOnConnect, noDelay, backlog, onTrouble } = { ...listenDefaults, onTrouble: () => {}, ...options };
  let address = addressOf(at);
  const trouble = troubleOf((sentence) => {
    onTrouble(`${address} loses connections: ${sentence}`);
  });
  const server = createServer(
    { allowHalfOpen: true, pauseOnConnect, noDelay: noDelay && at.kind !== 'unix' },
    (socket) => {
      // A peer may reset between accept and the owner's first line. Without a listener that error would end the
      // process; `close` follows and tells the owner.
      socket.on('error', () => {});
      trouble.afterAccept();
      onConnection(socket);
    },
  );
  await bindOrReplace(server, at, backlog);
  server.on('error', (error) => {
    trouble.onAcceptError(error);
  });
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  if (typeof bound === 'object' && bound !== null) address = addressOf({ kind: 'tcp', host: bound.address, port });
  const descriptor = descriptorOf(server);
  return {
    address,
    port,
    descriptors: descriptor === undefined ? [] : [descriptor],
    close: () => {
      trouble.stop();
      return closed(server);
    },
  };
}

/** Binds; a Unix socket also in the place of one that a killed process left. Fails with LISTEN_FAILED. */
async function bindOrReplace(server: Server, at: Binding, backlog: number): Promise<void> {
  if (at.kind === 'unix') checkPath(at.path);
  try {
    await bind(server, at, backlog);
  } catch (error) {
    if (at.kind !== 'unix' || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw failed(at, error);
    await removeStale(at.path);
    await bind(server, at, backlog).catch((again: unknown) => {
      throw failed(at, again);
    });
  }
}

function bind(server: Server, at: Binding, backlog: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    if (at.kind === 'systemd') {
      server.listen({ fd: at.fd, backlog });
      return;
    }
    if (at.kind === 'tcp') {
      server.listen({ host: at.host, port: at.port, backlog });
      return;
    }
    // bind() creates the file inside this call. With the umask there is no moment in which others could connect.
    const previous = process.platform === 'win32' ? undefined : process.umask(0o177);
    try {
      server.listen({ path: at.path, backlog });
      if (previous !== undefined && server.listening) chmodSync(at.path, 0o600);
    } finally {
      if (previous !== undefined) process.umask(previous);
    }
  });
}

/**
 * Removes the socket file that a killed process left. Fails with LISTEN_FAILED if a process answers on it, or if it is
 * not a socket.
 */
async function removeStale(path: string): Promise<void> {
  const before = lstatSync(path, { throwIfNoEntry: false });
  if (before === undefined) return;
  if (!before.isSocket())
    throw new AditError('LISTEN_FAILED', `Cannot listen on ${path}: a file of that name exists and is not a socket.`);
  if (await answers(path))
    throw new AditError('LISTEN_FAILED', `Cannot listen on ${path}: another program listens there.`);
  // Another process may have replaced the file meanwhile: only the one that was probed is removed.
  if (lstatSync(path, { throwIfNoEntry: false })?.ino !== before.ino) return;
  try {
    unlinkSync(path);
  } catch (error) {
    throw new AditError(
      'LISTEN_FAILED',
      `Cannot listen on ${path}: a stale socket is in the way and cannot be removed (${messageOf(error)}).`,
      { cause: error },
    );
  }
}

/**
 * Whether a process listens there. Only a refusal proves that none does; a full queue or a missing permission does not.
 */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const answer = (live: boolean): void => {
      socket.destroy();
      resolve(live);
    };
    socket.setTimeout(2000, () => {
      answer(true);
    });
    socket.on('connect', () => {
      answer(true);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      answer(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
    });
  });
}

function closed(server: Server): Promise<void> {
  // `close` calls back after the last connection only. The address is free as soon as the handle is closed, which is
  // one turn of the event loop later.
  return new Promise((resolve) => {
    if (server.listening) server.close();
    setImmediate(resolve);
  });
}

/**
 * When descriptors run out, libuv closes waiting connections with a descriptor that it keeps in reserve, and reports
 * nothing (measured on Node 24 and 26). So a second after an accept we try to open one ourselves, and again every
 * second until that works.
 */
function troubleOf(onTrouble: (sentence: string) => void): {
  afterAccept(): void;
  onAcceptError(error: Error): void;
  stop(): void;
} {
  let last = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  const tell = (sentence: string): void => {
    if (performance.now() - last < 10_000) return;
    last = performance.now();
    onTrouble(sentence);
  };
  const probe = (): void => {
    timer = undefined;
    try {
      closeSync(openSync(devNull, 'r'));
    } catch (error) {
      tell(`no file descriptors are left (${messageOf(error)}); raise "ulimit -n".`);
      timer = setTimeout(probe, 1000).unref();
    }
  };
  return {
    afterAccept: () => {
      timer ??= setTimeout(probe, 1000).unref();
    },
    onAcceptError: (error) => {
      tell(`an accept failed (${messageOf(error)}).`);
    },
    stop: () => {
      clearTimeout(timer);
    },
  };
}

function checkPath(path: string): void {
  const longest = process.platform === 'linux' ? 107 : 103;
  const length = Buffer.byteLength(path);
  if (process.platform !== 'win32' && length > longest)
    throw new AditError(
      'LISTEN_FAILED',
      `Cannot listen on ${path}: the path of a socket has at most ${longest} bytes, this one has ${length}.`,
    );
  // libuv reports a missing folder as a missing permission, so it is checked first.
  if (process.platform !== 'win32' && statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new AditError('LISTEN_FAILED', `Cannot listen on ${path}: its folder does not exist.`);
}

function failed(at: Binding, error: unknown): AditError {
  return new AditError('LISTEN_FAILED', `Cannot listen on ${addressOf(at)}: ${reasonOf(at, error)}.`, { cause: error });
}

function reasonOf(at: Binding, error: unknown): string {
  // It is a datagram socket, or a connection: neither can be listened on.
  if (at.kind === 'systemd')
    return (
      `descriptor ${at.fd} is not a socket that accepts connections: the .socket unit needs ListenStream=, without ` +
      `Accept=yes (${messageOf(error)})`
    );
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return 'another program listens there';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address';
    case 'EACCES':
    case 'EPERM':
      return at.kind === 'unix'
        ? 'permission denied'
        : `permission denied${at.port < 1024 ? '; ports below 1024 need a privilege' : ''}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the name does not resolve';
    default:
      return messageOf(error);
  }
}

function addressOf(at: Binding): string {
  if (at.kind === 'unix') return at.path;
  if (at.kind === 'systemd') return `systemd:${at.name}`;
  return at.host.includes(':') ? `[${at.host}]:${at.port}` : `${at.host}:${at.port}`;
}

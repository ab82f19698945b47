/**
 * TCP and unix sockets as the relay wants them: half-open allowed, pooled reads, an `error` listener from birth.
 * Rule: `onread` is public for dialled sockets only; for accepted ones the paused handle is wrapped anew, and where
 * that does not work (an undocumented option) the socket stays as it is and `reads` is undefined: the relay then takes
 * its `data` events.
 */
import net from 'node:net';
import type tls from 'node:tls';
import { PooledReads } from './read-buffers.ts';
import { resetTls } from './reset.ts';

export interface RelaySocket {
  readonly socket: net.Socket;
  readonly reads: PooledReads | undefined;
}

/** Starts a connection; the caller waits for `connect`. `target` is an address, never a name. */
export function connectPooled(target: net.TcpNetConnectOpts | net.IpcNetConnectOpts): RelaySocket {
  const reads = new PooledReads();
  const socket = net.connect({
    ...target,
    allowHalfOpen: true,
    noDelay: true,
    onread: reads.onread,
  } as net.NetConnectOpts);
  socket.on('error', ignore);
  return { socket, reads };
}

/** Takes over a socket that a listener accepted with `pauseOnConnect`; the given one is not to be used afterwards. */
export function acceptPooled(accepted: net.Socket): RelaySocket {
  const inner = accepted as unknown as { _handle: object | null };
  const handle = inner._handle;
  if (handle === null || typeof handle !== 'object') return { socket: accepted, reads: undefined };
  const reads = new PooledReads();
  inner._handle = null;
  const socket = new net.Socket({
    handle,
    allowHalfOpen: true,
    pauseOnCreate: true,
    onread: reads.onread,
  } as net.SocketConstructorOpts);
  socket.on('error', ignore);
  if ((socket as unknown as { _handle: object | null })._handle !== handle) {
    inner._handle = handle;
    return { socket: accepted, reads: undefined };
  }
  accepted.destroy(); // without its handle: only leaves its server's count of connections
  return { socket, reads };
}

/** What TLS sockets of ours run over. */
const below = new WeakMap<net.Socket, net.Socket>();

/**
 * TLS over a connection as the relay wants it: a reset reaches the connection below. Both are its owner's from now on.
 */
export function overTls(secure: tls.TLSSocket, transport: net.Socket): RelaySocket {
  below.set(secure, transport);
  return { socket: secure, reads: undefined };
}

/** Aborts so that the peer sees a reset, not an end, where the transport has one. */
export function resetSocket(socket: net.Socket): void {
  if (socket.destroyed) return;
  const transport = below.get(socket);
  if (transport) return resetTls(socket as tls.TLSSocket, transport);
  if (socket.remoteFamily === undefined && !socket.connecting) socket.destroy();
  // While its FIN is on the way to the kernel a handle cannot be reset: it would neither close nor say so.
  else if (socket.writableEnded && !socket.writableFinished && socket.writableLength === 0)
    socket.once('finish', () => socket.resetAndDestroy());
  else socket.resetAndDestroy();
}

/** The error also arrives with `close`, where its owner looks; this one only keeps the process alive between owners. */
function ignore(): void {
  /* see above */
}

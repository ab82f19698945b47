/**
 * TCP and Unix sockets as the relay needs them: half-open allowed, pooled reads, an `error` listener from birth.
 * Rule: `onread` is public for dialled sockets only. For accepted ones the paused handle is wrapped again. If that does
 * not work (the option is undocumented) the socket stays as it is, `reads` is undefined, and the relay uses `data`
 * events.
 */
import net from 'node:net';
import type tls from 'node:tls';
import type { PeerEnd } from './peer-end.ts';
import { PooledReads } from './read-buffers.ts';
import { resetTls } from './reset.ts';

export interface RelaySocket {
  readonly socket: net.Socket;
  readonly reads: PooledReads | undefined;
  /** How the far side of the socket ended. Absent if every end that is read counts as one. */
  readonly peerEnd?: PeerEnd;
}

/** Starts a connection; the caller waits for `connect`. `target` has an address, never a name. */
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

/** Takes over a socket that a listener accepted with `pauseOnConnect`. Do not use the given one afterwards. */
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
  accepted.destroy(); // it has no handle any more: this only corrects its server's count of connections
  return { socket, reads };
}

/** The socket below each TLS socket of ours. */
const below = new WeakMap<net.Socket, net.Socket>();

/**
 * A TLS socket over a connection as a relay socket: a reset reaches the connection below. The caller owns both from now
 * on.
 */
export function overTls(secure: tls.TLSSocket, transport: net.Socket): RelaySocket {
  below.set(secure, transport);
  return { socket: secure, reads: undefined };
}

/** Aborts the socket so that the peer sees a reset and not an end, if the transport has resets. */
export function resetSocket(socket: net.Socket): void {
  if (socket.destroyed) return;
  const transport = below.get(socket);
  if (transport) return resetTls(socket as tls.TLSSocket, transport);
  if (socket.remoteFamily === undefined && !socket.connecting) socket.destroy();
  // A handle cannot be reset while its FIN is on the way to the kernel: it would neither close nor report that.
  else if (socket.writableEnded && !socket.writableFinished && socket.writableLength === 0)
    socket.once('finish', () => socket.resetAndDestroy());
  else socket.resetAndDestroy();
}

/** `close` follows, and the owner handles that. This only keeps the process alive between owners. */
function ignore(): void {
  /* see above */
}

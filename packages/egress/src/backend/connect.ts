/**
 * From one backend to one connected socket that is ready for the bytes of a stream: dialled, greeted, secured, in this order.
 * Rule: the dialer dials only what was judged; whatever fails, nothing is left open. No byte of the stream is sent here.
 * Not here: which backend, and whether to try another (services.ts).
 */
import net from 'node:net';
import { connectPooled, type Endpoint, type RelaySocket } from '@adit/shared';
import { dial, type Permit } from '../dialer/dial.ts';
import { dialError, type Target } from '../dialer/failure.ts';
import type { Backend } from '../policy/service.ts';
import { secureBackend, type ServiceTls } from './service-tls.ts';

export interface ConnectRequest {
  readonly backend: Backend;
  /** What the client asked for, for what it is told. */
  readonly called?: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly permit: (address: string) => Permit;
  /** The PROXY protocol header for a connection to this address; absent where none is sent. */
  readonly greet?: (to: Endpoint | undefined) => Uint8Array;
  /** What the client speaks, to be offered to a `tls://` service. */
  readonly alpn?: string;
  /** For `tls://`, which fails without it. */
  readonly tls?: ServiceTls;
}

/** `address`: what was dialled, an address or the path of a socket. */
export interface Connected { readonly local: RelaySocket; readonly address: string; readonly rule: string }

/** Fails as `dial` does, and with SERVICE_TLS_FAILED. */
export async function connectBackend({ backend, called, timeoutMs, signal, permit, greet, alpn, tls }: ConnectRequest): Promise<Connected> {
  const deadlineAtMs = performance.now() + timeoutMs;
  const attempts: RelaySocket[] = [];
  const target: Target = { ...(backend.kind === 'unix' ? { host: backend.path, port: 0, unix: true } : { host: backend.host, port: backend.port }), ...(called !== undefined && { called }) };
  const { socket, address, rule } = await dial({
    ...target, timeoutMs, permit, ...(signal && { signal }),
    connect: (host, port) => {
      const attempt = backend.kind === 'unix' ? connectPooled({ path: host }) : backend.kind === 'tls' ? plain(host, port) : connectPooled({ host, port });
      attempts.push(attempt);
      return attempt.socket;
    },
  });
  if (greet) await send(socket, { header: greet(backend.kind === 'unix' ? undefined : { host: address, port: backend.port }), target });
  if (backend.kind !== 'tls') return { local: attempts.find((attempt) => attempt.socket === socket)!, address, rule };
  return { local: await secureBackend(socket, { tls, target, deadlineAtMs, ...(alpn !== undefined && { alpn }), ...(signal && { signal }) }), address, rule };
}

/** A socket that TLS can take over: it reads for itself. */
function plain(host: string, port: number): RelaySocket {
  const socket = net.connect({ host, port, allowHalfOpen: true, noDelay: true });
  socket.on('error', () => { /* the dialer, and then TLS, hear of it themselves */ });
  return { socket, reads: undefined };
}

/** Resolves when the kernel has it, so that the relay counts bytes of the stream only. */
function send(socket: net.Socket, { header, target }: { readonly header: Uint8Array; readonly target: Target }): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(header, (error) => {
      if (!error) {
        resolve();
        return;
      }
      socket.destroy();
      reject(dialError('CONNECTION_REFUSED', target, error));
    });
  });
}

/**
 * Makes a connection to one backend, ready for the bytes of a stream: dials, sends the PROXY protocol header, and then
 * starts TLS.
 * Rule: only what was judged is dialled. Whatever fails, nothing is left open. No byte of the stream is sent here.
 * Not here: which backend to take, and whether to try another (services.ts).
 */
import net from 'node:net';
import { AditError, type Code } from '@adit/shared/errors';
import type { Deadline } from '@adit/shared/net/deadline';
import { connectPooled, type RelaySocket } from '@adit/shared/net/sockets';
import { formatHostPort } from '@adit/shared/protocol/destination';
import type { Endpoint } from '@adit/shared/protocol/proxy-protocol';
import { dial } from '../dialer/dial.ts';
import { allBackendsFailed, dialError, type FailedBackend, type Target } from '../dialer/failure.ts';
import { judge, judgedAddresses, type Permit } from '../dialer/judged.ts';
import type { Resolve } from '../dialer/resolve.ts';
import type { Backend } from '../policy/service.ts';
import { resolvesThere } from '../policy/via.ts';
import { askNextHop, type NextHop } from './next-hop.ts';
import { secureBackend, type ServiceTls } from './service-tls.ts';

export interface ConnectRequest {
  readonly backend: Backend;
  /** What the client asked for, to be named in errors. */
  readonly called?: string;
  /** For dialling, greeting and securing together. */
  readonly deadline: Deadline;
  readonly signal?: AbortSignal;
  readonly permit: (address: string) => Permit;
  /** Resolves names; absent: the resolver of the system, with no queue before it. */
  readonly resolve?: Resolve | undefined;
  /** The PROXY protocol header for a connection to this address; absent where none is sent. */
  readonly greet?: (to: Endpoint | undefined) => Uint8Array;
  /** What the client speaks, to be offered to a `tls://` service. */
  readonly alpn?: string;
  /** For `tls://`, which fails without it. */
  readonly tls?: ServiceTls;
  /** The next hop to ask, instead of dialling. */
  readonly hop?: Hop;
}

/** The next hop; `via` is the header that says over which hops the request came. */
export interface Hop {
  readonly to: NextHop;
  readonly via: string;
}

/**
 * `address`: what was dialled (an address, or the path of a socket), or the host that the next hop was asked for.
 */
export interface Connected {
  readonly local: RelaySocket;
  readonly address: string;
  readonly rule: string;
}

/** Fails as `dial` does, and with SERVICE_TLS_FAILED. */
export async function connectBackend(request: ConnectRequest): Promise<Connected> {
  const { backend, deadline, signal, greet, alpn, tls } = request;
  const target = targetOf(request);
  const { local, address, rule } =
    backend.via === undefined ? await dialBackend(request, target) : await askBackend(request, target);
  const { socket } = local;
  if (greet) {
    const header = greet(
      backend.kind === 'unix' || resolvesThere(backend.via) ? undefined : { host: address, port: backend.port },
    );
    await send(socket, { header, target });
  }
  if (backend.kind !== 'tls') return { local, address, rule };
  const secured = await secureBackend(socket, {
    tls,
    target,
    deadline,
    ...(alpn !== undefined && { alpn }),
    ...(signal && { signal }),
  });
  return { local: secured, address, rule };
}

function targetOf({ backend, called }: ConnectRequest): Target {
  const place =
    backend.kind === 'unix' ? { host: backend.path, port: 0, unix: true } : { host: backend.host, port: backend.port };
  return { ...place, ...(called !== undefined && { called }) };
}

async function dialBackend(
  { backend, deadline, signal, permit, resolve }: ConnectRequest,
  target: Target,
): Promise<Connected> {
  const attempts: RelaySocket[] = [];
  const { socket, address, rule } = await dial({
    ...target,
    deadline,
    permit,
    resolve,
    ...(signal && { signal }),
    connect: (host, port) => {
      const attempt =
        backend.kind === 'unix'
          ? connectPooled({ path: host })
          : backend.kind === 'tls'
            ? plain(host, port)
            : connectPooled({ host, port });
      attempts.push(attempt);
      return attempt.socket;
    },
  });
  return { local: attempts.find((attempt) => attempt.socket === socket)!, address, rule };
}

/** Asks the next hop for what the policy judged. */
async function askBackend(request: ConnectRequest, target: Target): Promise<Connected> {
  const { backend, deadline, signal, permit, hop } = request;
  if (hop === undefined) throw dialError('INTERNAL', target, new Error('the next hop was not loaded'));
  if (!resolvesThere(backend.via)) return askForAddress({ ...request, hop }, target);
  const [{ address, rule }] = judge({ ...target, permit }, [target.host]);
  const local = await askNextHop(hop.to, { target, deadline, via: hop.via, ...(signal && { signal }) });
  return { local, address, rule };
}

/** The most addresses of a name that a hop is asked for: each may cost a login. */
const maxAsked = 4;
/**
 * Codes after which the next address is asked for: a proxy without IPv6 may refuse an IPv6 address with any of them.
 */
const worthAnother: readonly Code[] = ['HOST_UNREACHABLE', 'VIA_FAILED', 'NETWORK_UNREACHABLE', 'CONNECTION_REFUSED'];

/** Asks the hop for one address after the other, within the deadline, until it reaches one. */
async function askForAddress(
  { deadline, signal, permit, resolve, hop }: ConnectRequest & { readonly hop: Hop },
  target: Target,
): Promise<Connected> {
  const aborting = signal && { signal };
  const judged = await judgedAddresses({ ...target, deadline, permit, resolve, ...aborting });
  const addresses = judged.slice(0, maxAsked);
  const called = target.called ?? formatHostPort(target.host, target.port);
  const failed: FailedBackend[] = [];
  for (const [at, { address, rule }] of addresses.entries()) {
    try {
      const local = await askNextHop(hop.to, {
        target: { ...target, called, host: address },
        deadline: deadline.share(addresses.length - at),
        via: hop.via,
        ...aborting,
      });
      return { local, address, rule };
    } catch (error) {
      if (!(error instanceof AditError) || !worthAnother.includes(error.code)) throw error;
      failed.push({ backend: address, error });
    }
  }
  throw allBackendsFailed(called, failed);
}

/** A socket that TLS can take over, without pooled reads. */
function plain(host: string, port: number): RelaySocket {
  const socket = net.connect({ host, port, allowHalfOpen: true, noDelay: true });
  socket.on('error', () => {
    /* the dialer and then TLS have listeners of their own */
  });
  return { socket, reads: undefined };
}

/** Resolves when the kernel has the header, so that the relay counts only bytes of the stream. */
function send(
  socket: net.Socket,
  { header, target }: { readonly header: Uint8Array; readonly target: Target },
): Promise<void> {
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

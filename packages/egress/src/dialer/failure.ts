/**
 * The error of a failed look-up or connection, with a code for what the system reported.
 * Rule: `message` names only what the client asked for (of a service its name); addresses, errno and routes stay in
 * `cause`.
 */
import { AditError, type Code, messageOf } from '@adit/shared/errors';
import { formatHostPort, type HostPort } from '@adit/shared/protocol/destination';

/** `unix`: `host` is the path of a socket. `called`: what the client asked for, if not the host and port. */
export interface Target extends HostPort {
  readonly unix?: boolean;
  readonly called?: string;
}

const codeOfErrno: Readonly<Record<string, Code>> = {
  ECONNREFUSED: 'CONNECTION_REFUSED',
  ECONNRESET: 'CONNECTION_REFUSED',
  ENOENT: 'CONNECTION_REFUSED',
  ENOTSOCK: 'CONNECTION_REFUSED',
  EPROTOTYPE: 'CONNECTION_REFUSED', // of a Unix socket
  EHOSTUNREACH: 'HOST_UNREACHABLE',
  EHOSTDOWN: 'HOST_UNREACHABLE',
  EACCES: 'HOST_UNREACHABLE',
  EPERM: 'HOST_UNREACHABLE',
  ENETUNREACH: 'NETWORK_UNREACHABLE',
  ENETDOWN: 'NETWORK_UNREACHABLE',
  EAFNOSUPPORT: 'NETWORK_UNREACHABLE',
  EINVAL: 'NETWORK_UNREACHABLE',
  ETIMEDOUT: 'DIAL_TIMEOUT',
  EMFILE: 'OVERLOAD',
  ENFILE: 'OVERLOAD',
  ENOBUFS: 'OVERLOAD',
  ENOMEM: 'OVERLOAD',
  EAGAIN: 'OVERLOAD',
};

/** The code of one failed attempt. EADDRNOTAVAIL means no IPv6 address of our own, or no free local port. */
export function codeOfAttempt(error: unknown, address: string): Code {
  const errno = error instanceof Error ? String((error as NodeJS.ErrnoException).code) : '';
  if (errno === 'EADDRNOTAVAIL') return address.includes(':') ? 'NETWORK_UNREACHABLE' : 'OVERLOAD';
  return codeOfErrno[errno] ?? 'INTERNAL';
}

/**
 * Codes of failed attempts, the one that tells the client most first: an answer, then silence, then a missing route.
 */
const byWeight: readonly Code[] = [
  'VIA_LOOP',
  'SERVICE_TLS_FAILED',
  'CONNECTION_REFUSED',
  'DIAL_TIMEOUT',
  'HOST_UNREACHABLE',
  'NETWORK_UNREACHABLE',
  'VIA_FAILED',
  'DNS_TIMEOUT',
  'DNS_FAILED',
  'ADDRESS_PROHIBITED',
  'POLICY_DENIED',
  'OVERLOAD',
  'INTERNAL',
];

const sentences: Readonly<Partial<Record<Code, string>>> = {
  CONNECTION_REFUSED: 'refused the connection',
  DIAL_TIMEOUT: 'did not answer in time',
  HOST_UNREACHABLE: 'cannot be reached from the egress',
  NETWORK_UNREACHABLE: 'is in a network to which the egress has no route',
  OVERLOAD: 'was not dialled: the egress is out of sockets',
  DNS_FAILED: 'cannot be resolved by the egress',
  DNS_TIMEOUT: 'was not resolved in time',
  PEER_GONE: 'is no longer wanted',
  VIA_FAILED: 'cannot be reached: the proxy that the egress goes through cannot be used',
  VIA_LOOP: 'was not dialled: the next hops of the egresses lead in a circle',
  POLICY_DENIED: 'is not allowed by the next egress',
  UNKNOWN_SERVICE: 'is not known to the next egress',
  ADDRESS_PROHIBITED: 'resolves to an address that the next egress does not reach by this name',
  SERVICE_TLS_FAILED: 'did not prove by TLS that it is the right service',
};

/** The sentence that the client gets with this code. */
function messageFor(code: Code, { host, port, called }: Target): string {
  return `${called ?? formatHostPort(host, port)} ${sentences[code] ?? 'was not dialled'}.`;
}

/** The error of a dial with this code. */
export function dialError(code: Code, target: Target, cause?: unknown): AditError {
  return new AditError(code, messageFor(code, target), { cause });
}

/** The error of a name that found no place in the queue of the resolver. */
export function queueFullError({ host, port, called }: Target, cause: Error): AditError {
  const name = called ?? formatHostPort(host, port);
  return new AditError('OVERLOAD', `${name} was not resolved: too many names wait for the resolver of the egress.`, {
    cause,
  });
}

/** The error of a next hop that did not connect us to the target. */
export function nextHopError(code: Code, target: Target, cause: Error): AditError {
  return new AditError(code, messageFor(code, target), { cause, by: 'next-hop' });
}

/** One failed attempt. */
export interface Attempt {
  readonly address: string;
  readonly error: unknown;
}

/** The error of a dial whose attempts all failed; `cause` holds each of them. */
export function allFailed(target: Target, attempts: readonly Attempt[]): AditError {
  const seen = new Set(attempts.map(({ error, address }) => codeOfAttempt(error, address)));
  const code = byWeight.find((candidate) => seen.has(candidate)) ?? 'INTERNAL';
  return dialError(
    code,
    target,
    attempts.length === 1
      ? attempts[0]!.error
      : new AggregateError(
          attempts.map(({ error }) => error),
          attempts.map(({ error }) => messageOf(error)).join('; '),
        ),
  );
}

export interface FailedBackend {
  readonly backend: string;
  readonly error: AditError;
}

/** The error of a service none of whose backends could be reached; `cause` says why for each, for the log. */
export function allBackendsFailed(called: string, failed: readonly FailedBackend[]): AditError {
  const [first] = failed;
  if (first === undefined)
    return new AditError('CONNECTION_REFUSED', `${called} takes no new connections.`, {
      cause: new Error('the backends that this identity may reach have weight 0'),
    });
  if (failed.length === 1) return first.error;
  const worst = byWeight.flatMap((code) => failed.filter(({ error }) => error.code === code))[0] ?? first;
  const why = failed
    .map(({ backend, error }) => `${backend}: ${error.cause instanceof Error ? error.cause.message : error.code}`)
    .join('; ');
  return new AditError(worst.error.code, worst.error.message, { cause: new Error(why), by: worst.error.by });
}

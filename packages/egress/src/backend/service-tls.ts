/**
 * TLS 1.2 or newer from the egress to a `tls://` backend or destination. A backend is verified by the roots of the
 * system, or only by `ca` of its service where that is given; a destination by the roots of the system and those of
 * `--service-ca`.
 * Rule: nothing of the stream is sent before the certificate is verified for the name in the policy. A certificate that
 * cannot be verified is a failed dial. The files are read together with the policy, so that a bad file stops the start,
 * or leaves the old policy in force.
 * Not here: TLS of the tunnel itself. A connection that ends without the close_notify of TLS looks like a clean end:
 * Node does not tell them apart.
 */
import type net from 'node:net';
import tls from 'node:tls';
import { loadClientTls } from '@adit/shared/carrier/proxy-files';
import { systemRoots } from '@adit/shared/carrier/system-roots';
import { about, messageOf } from '@adit/shared/errors';
import type { Credentials } from '@adit/shared/identity/credentials';
import { attempt } from '@adit/shared/net/attempt';
import type { Deadline } from '@adit/shared/net/deadline';
import { overTls, type RelaySocket } from '@adit/shared/net/sockets';
import { addressFamily } from '@adit/shared/protocol/destination';
import { dialError, type Target } from '../dialer/failure.ts';
import type { Service } from '../policy/service.ts';
import { policyPath, tlsPaths } from './policy-paths.ts';

/** TLS settings with their files loaded. */
export interface ServiceTls {
  readonly context: tls.SecureContext;
  readonly serverName?: string;
  /** The certificate that the service is shown. */
  readonly client?: Credentials;
}

/** The files that `tls` of a service names; relative paths begin at the folder of the policy. */
export function tlsFilesOf({ tls: { ca, cert, key } }: Service, folder: string): string[] {
  return [ca, cert, key].flatMap((file) => (file === undefined ? [] : [policyPath(folder, file)]));
}

/**
 * Reads what a service with `tls://` backends needs. Fails with CONFIG_INVALID or CREDENTIALS_UNUSABLE, which name the
 * file.
 */
export function loadServiceTls({ name, tls: settings }: Service, folder: string): ServiceTls {
  const { serverName } = settings;
  const { ca, client } = about(
    { what: `the service ${name}`, advice: `Check "tls" of the service ${name} in the policy.` },
    () => loadClientTls(tlsPaths(folder, settings)),
  );
  return {
    context: contextOf(ca?.pem ?? systemRoots(), client),
    ...(serverName !== undefined && { serverName }),
    ...(client && { client }),
  };
}

/** The files for `tls://` destinations of clients. */
export interface DestinationTlsFiles {
  readonly serviceCa?: string;
  readonly serviceCert?: string;
  readonly serviceKey?: string;
}

/**
 * Reads what the options name; the roots of the system are read when they are first needed. Fails with CONFIG_INVALID
 * or CREDENTIALS_UNUSABLE.
 */
export function loadDestinationTls({ serviceCa, serviceCert, serviceKey }: DestinationTlsFiles): ServiceTls {
  const { ca, client } = loadClientTls({ ca: serviceCa, cert: serviceCert, key: serviceKey });
  let context: tls.SecureContext | undefined;
  return {
    ...(client && { client }),
    get context() {
      return (context ??= contextOf([...systemRoots(), ...(ca?.pem ?? [])], client));
    },
  };
}

function contextOf(roots: readonly string[], client: Credentials | undefined): tls.SecureContext {
  return tls.createSecureContext({
    ca: [...roots],
    minVersion: 'TLSv1.2',
    ...(client && { cert: client.certPem, key: client.keyPem }),
  });
}

/** A service without ALPN speaks this, too. */
const plainHttp = 'http/1.1';
const alpnAlert = 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL';

/** The service does not speak the protocol that the client chose, which does not count against the service. */
export class NotSpoken extends Error {
  constructor(protocol: string, options?: ErrorOptions) {
    super(`TLS: the service does not speak ${protocol}`, options);
  }
}

export interface SecureBackendOptions {
  readonly tls: ServiceTls | undefined;
  readonly target: Target;
  readonly deadline: Deadline;
  readonly alpn?: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Starts TLS over a connected TCP socket and verifies the service; destroys the socket when that fails. Fails with
 * SERVICE_TLS_FAILED, DIAL_TIMEOUT, PEER_GONE.
 */
export function secureBackend(transport: net.Socket, options: SecureBackendOptions): Promise<RelaySocket> {
  const { tls: how, target, deadline, alpn, signal } = options;
  if (how === undefined) {
    transport.destroy();
    return Promise.reject(dialError('INTERNAL', target, new Error('nothing was loaded to verify it with')));
  }
  const socket = tls.connect(connection(transport, how, options));
  const destroy = (): void => {
    socket.destroy();
    transport.destroy();
  };
  socket.on('error', destroy).once('close', destroy);
  return attempt<RelaySocket>(
    {
      deadline,
      signal,
      timedOut: () => dialError('DIAL_TIMEOUT', target, new Error('no TLS handshake in time')),
      aborted: () => dialError('PEER_GONE', target, signal?.reason),
      giveUp: destroy,
    },
    ({ succeed, fail }) => {
      const failed = (cause: Error): void => fail(dialError('SERVICE_TLS_FAILED', target, cause));
      socket
        .once('error', (error: Error) => failed(explain(error, alpn)))
        .once('close', () => failed(new Error('TLS: the service closed the connection during the handshake')))
        .once('secureConnect', () => {
          if (alpn !== undefined && alpn !== plainHttp && socket.alpnProtocol !== alpn) failed(new NotSpoken(alpn));
          else succeed(overTls(socket, transport));
        });
    },
  );
}

function connection(
  transport: net.Socket,
  { context, serverName }: ServiceTls,
  { target, alpn }: SecureBackendOptions,
): tls.ConnectionOptions {
  const name = serverName ?? target.host;
  const halfOpen = { allowHalfOpen: true }; // an option of every socket, which the types of tls.connect leave out
  return {
    socket: transport,
    secureContext: context,
    host: name,
    ...(addressFamily(name) === 0 && { servername: name }),
    ...(alpn !== undefined && { ALPNProtocols: [alpn] }),
    ...halfOpen,
    rejectUnauthorized: true,
  };
}

function explain(error: NodeJS.ErrnoException, alpn: string | undefined): Error {
  return alpn !== undefined && error.code === alpnAlert
    ? new NotSpoken(alpn, { cause: error })
    : new Error(`TLS: ${messageOf(error)}`, { cause: error });
}

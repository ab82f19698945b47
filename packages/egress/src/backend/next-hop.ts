/**
 * Asks the next hop (`via` in the policy) for a destination: a proxy by CONNECT or SOCKS5, another egress by CONNECT
 * inside mutual TLS.
 * Rule: the hop is asked for what was judged, and resolves it. Where the hop speaks HTTP it gets our pseudonym in Via,
 * so that an egress that finds its own there detects the circle. Which hop it is and what it says is for our log; the
 * client gets a code.
 * Not here: whether it may be asked (the policy), and sockets that are dialled directly (the dialer).
 * Spec: RFC 9110 sections 7.6.3 (Via) and 9.3.6 (CONNECT).
 */
import type net from 'node:net';
import { askProven } from '@adit/shared/carrier/proven-connect';
import { dialProven } from '@adit/shared/carrier/proven-tls';
import { loadClientTls, readProxyFile } from '@adit/shared/carrier/proxy-files';
import { openRoute, type Proxy } from '@adit/shared/carrier/route';
import { about, AditError, type Code, messageOf } from '@adit/shared/errors';
import type { Credentials } from '@adit/shared/identity/credentials';
import type { TrustAnchors } from '@adit/shared/identity/trust';
import type { Deadline } from '@adit/shared/net/deadline';
import { tlsPeerEnd } from '@adit/shared/net/peer-end';
import { overTls, type RelaySocket } from '@adit/shared/net/sockets';
import type { HostPort } from '@adit/shared/protocol/destination';
import { dialError, nextHopError, type Target } from '../dialer/failure.ts';
import type { Via } from '../policy/via.ts';
import { policyPath, tlsPaths } from './policy-paths.ts';

/** A next hop with its files loaded. */
export type NextHop = { readonly name: string } & (
  | { readonly kind: 'proxy'; readonly proxy: Proxy; readonly credentials?: Credentials }
  | ({
      readonly kind: 'egress';
      readonly serverName: string;
      readonly credentials: Credentials;
      readonly ca: TrustAnchors;
    } & HostPort)
);

/** The files that a hop names; relative ones start at the folder of the policy. */
export function hopFilesOf(via: Via, folder: string): string[] {
  const { ca, cert, key } = via;
  return [via.kind === 'file' ? via.file : undefined, ca, cert, key].flatMap((file) =>
    file === undefined ? [] : [policyPath(folder, file)],
  );
}

/** Reads what a hop needs. Fails with CONFIG_INVALID or CREDENTIALS_UNUSABLE, which name the file. */
export function loadNextHop(via: Via, folder: string): NextHop {
  const { name } = via;
  return about({ what: `via ${name}`, advice: `Check "via" of ${name} in the policy.` }, () => readHop(via, folder));
}

function readHop(via: Via, folder: string): NextHop {
  const { name } = via;
  const { ca, client } = loadClientTls(tlsPaths(folder, via));
  if (via.kind !== 'connect') {
    const proxy = via.kind === 'file' ? readProxyFile(policyPath(folder, via.file)) : via.proxy;
    if (proxy.scheme !== 'https' && (ca !== undefined || client !== undefined))
      throw new AditError(
        'CONFIG_INVALID',
        `The policy names "ca" or "cert" for ${name}, which is ${proxy.scheme}:// and has no TLS.`,
      );
    const tls = { ...(ca && { ca }), ...(client && { client }) };
    return { kind: 'proxy', name, proxy: { ...proxy, ...tls }, ...(client && { credentials: client }) };
  }
  const { host, port } = via.target;
  // the schema of the policy requires both
  return { kind: 'egress', name, host, port, serverName: via.serverName ?? host, credentials: client!, ca: ca! };
}

export interface AskHopOptions {
  readonly target: Target;
  readonly deadline: Deadline;
  readonly signal?: AbortSignal;
  /** The value of the header Via: the hops so far, ours the last. */
  readonly via: string;
}

/**
 * A connection to the target. Fails with what the hop says of it, with VIA_LOOP, VIA_FAILED, DIAL_TIMEOUT or PEER_GONE.
 */
export async function askNextHop(
  hop: NextHop,
  { target, deadline, signal = new AbortController().signal, via }: AskHopOptions,
): Promise<RelaySocket> {
  try {
    return await (hop.kind === 'proxy'
      ? askProxy(hop.proxy, { target, deadline, signal, via })
      : askEgress(hop, { target, deadline, signal, via }));
  } catch (error) {
    if (!(error instanceof AditError)) throw error;
    if (signal.aborted) throw dialError('PEER_GONE', target, signal.reason);
    const code =
      hop.kind === 'proxy'
        ? (ofProxy[error.code] ?? 'VIA_FAILED')
        : passedOn.includes(error.code)
          ? error.code
          : 'VIA_FAILED';
    throw nextHopError(code, target, new Error(`${hop.name}: ${messageOf(error)}`, { cause: error }));
  }
}

/** Codes of a proxy that are about the destination; every other one is about the proxy. */
const ofProxy: Readonly<Partial<Record<Code, Code>>> = { EGRESS_UNREACHABLE: 'HOST_UNREACHABLE', VIA_LOOP: 'VIA_LOOP' };
/** Codes of another egress that are about the destination, or about hops behind it. */
const passedOn: readonly Code[] = [
  'POLICY_DENIED',
  'ADDRESS_PROHIBITED',
  'UNKNOWN_SERVICE',
  'DNS_FAILED',
  'DNS_TIMEOUT',
  'CONNECTION_REFUSED',
  'HOST_UNREACHABLE',
  'NETWORK_UNREACHABLE',
  'DIAL_TIMEOUT',
  'SERVICE_TLS_FAILED',
  'VIA_LOOP',
  'VIA_FAILED',
];

type Asking = Required<AskHopOptions>;

async function askProxy(proxy: Proxy, { target: { host, port }, deadline, signal, via }: Asking): Promise<RelaySocket> {
  const socket = await openRoute({ host, port }, { proxy, deadline, signal, headers: { Via: via } });
  return relayable(socket);
}

async function askEgress(
  { name, host, port, serverName, credentials, ca }: Extract<NextHop, { kind: 'egress' }>,
  { target, deadline, signal, via }: Asking,
): Promise<RelaySocket> {
  const proven = await dialProven({
    host,
    port,
    alpn: 'http/1.1',
    serverName,
    credentials,
    ca,
    deadline,
    signal,
  });
  const peerEnd = tlsPeerEnd(proven.socket, proven.transport);
  await askProven(proven, {
    to: { host: target.host, port: target.port },
    headers: { Via: via },
    name,
    deadlineMs: deadline.leftMs,
    signal,
  });
  return { ...overTls(relayable(proven.socket).socket as typeof proven.socket, proven.transport), peerEnd };
}

/**
 * Adds a listener that keeps an error from ending the process between two owners; each owner learns of it by `close`.
 */
function relayable(socket: net.Socket): RelaySocket {
  socket.on('error', () => {
    /* its owner learns of it by `close` */
  });
  return { socket, reads: undefined };
}

/**
 * Dials one egress: by TLS, by WebSocket, or by whichever gets through.
 * Rule: every way ends in mutual TLS 1.3 with our CA, or fails. The way that worked is remembered for its network, for
 * a while. An intermediary that terminates TLS is named in the log.
 */
import type { Carrier } from '@adit/shared/carrier/contract';
import { dialTls, StrangerError } from '@adit/shared/carrier/tls';
import { dialWebSocket, type WebSocketForm } from '@adit/shared/carrier/websocket';
import { type EgressTarget, formatEgress } from '@adit/shared/config/values/egress-address';
import type { HeaderField } from '@adit/shared/config/values/header';
import { AditError, type Code } from '@adit/shared/errors';
import type { Credentials } from '@adit/shared/identity/credentials';
import type { RevocationList } from '@adit/shared/identity/revocation';
import type { TrustAnchors } from '@adit/shared/identity/trust';
import type { Congestion } from '@adit/shared/net/tcp-control';
import type { Logger } from '@adit/shared/observe/logger';
import { networkName } from './network-watch.ts';
import type { ProxyFor } from '../proxy/proxies.ts';
import { race } from './race.ts';

/** The credentials of the ingress and what it trusts, as loaded last. */
export interface Trust {
  readonly credentials: Credentials;
  readonly ca: TrustAnchors;
  readonly revocation: RevocationList | undefined;
  readonly outerCa: TrustAnchors | undefined;
  readonly proxyFor?: ProxyFor;
  /** Headers of --header-file, beside those of the options. */
  readonly headers?: readonly HeaderField[];
}

export interface DialerOptions {
  readonly target: EgressTarget;
  /** `auto` is whichever gets through. */
  readonly carrier: WayName | 'auto';
  /** The name in the certificate of the egress, if it is not its host. */
  readonly serverName: string | undefined;
  readonly wsPath: string;
  readonly headers: readonly HeaderField[];
  /** Default `auto`. */
  readonly congestion?: Congestion;
  readonly trust: () => Trust;
  readonly deadlineMs: number;
  readonly log: Logger;
  /** Names the current network; default networkName. */
  readonly network?: () => string | undefined;
}

type WayName = 'tls' | 'websocket';

/** How long TLS is tried alone before a WebSocket is tried beside it, ms. */
const staggerMs = 1_000;
/** How long the way that worked in a network is preferred there, ms. */
const rememberMs = 600_000;
/**
 * After this many TLS carriers without an answer, a WebSocket is tried first: something on the way seems to let
 * handshakes pass and to cut unknown protocols. The bound depends on whether TLS has worked in this network.
 */
const suspicious = { unknown: 2, tls: 5 };
const maxNetworks = 16;
/** Errors of the operating system that every way to the same host and port meets. */
const hopeless = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EMFILE',
]);

/** Failures of the proxy to the egress, which every way meets. */
const proxyFailures = new Set<Code>(['PROXY_FAILED', 'PROXY_REFUSED', 'PROXY_AUTH_REQUIRED']);

export class Dialer {
  readonly #options: DialerOptions;
  /** For each network, the way on which the egress answered last, and until when it is preferred. */
  readonly #works = new Map<string, { readonly way: WayName; readonly untilMs: number }>();
  /** The way of the carrier dialled last. */
  #last: WayName = 'tls';
  /** Consecutive TLS carriers on which the egress did not answer. */
  #unanswered = 0;
  #form: WebSocketForm | undefined;
  #namedIssuer: string | undefined;

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  /** Makes an authenticated carrier; rejects with AditError. */
  async dial(signal: AbortSignal): Promise<Carrier> {
    const { target, carrier } = this.#options;
    if (target.kind === 'websocket' || carrier === 'websocket') return this.#webSocket(signal);
    if (carrier === 'tls') return this.#tls(signal);
    const made = await this.#either(signal);
    this.#last = made.kind === 'tls' ? 'tls' : 'websocket';
    if (this.#last === 'tls') this.#unanswered++;
    if (made.intermediary !== undefined && made.intermediary !== this.#namedIssuer) {
      this.#options.log.warn(
        { event: 'intercepted', egress: formatEgress(target), issuer: made.intermediary },
        'TLS is terminated on the way to the egress; the TLS inside still protects the session',
      );
      this.#namedIssuer = made.intermediary;
    }
    return made;
  }

  /** Another carrier the way this one was made: to the address, or through the proxy, that it got through by. */
  dialBeside({ kind, address }: Carrier, signal: AbortSignal): Promise<Carrier> {
    if (kind !== 'tls') return this.#webSocket(signal);
    return dialTls({ ...this.#common(), ...(address !== undefined && { host: address }), signal });
  }

  /** Called when the egress answers on the carrier dialled last: that way gets through. */
  answered(): void {
    const network = this.#network();
    // Where TLS works, a WebSocket that won one race changes nothing: TLS may have been slow for a moment.
    if (this.#last === 'tls' || this.#known(network) !== 'tls') {
      this.#works.delete(network);
      this.#works.set(network, { way: this.#last, untilMs: performance.now() + rememberMs });
    }
    if (this.#works.size > maxNetworks) this.#works.delete(this.#works.keys().next().value!);
    this.#unanswered = 0;
  }

  #known(network: string): WayName | undefined {
    const known = this.#works.get(network);
    return known && known.untilMs > performance.now() ? known.way : undefined;
  }

  #either(signal: AbortSignal): Promise<Carrier> {
    const { target } = this.#options;
    const tls = (stop: AbortSignal): Promise<Carrier> => this.#tls(stop);
    const webSocket = (stop: AbortSignal): Promise<Carrier> => this.#webSocket(stop);
    const known = this.#known(this.#network());
    const webFirst = known === 'websocket' || this.#unanswered >= suspicious[known ?? 'unknown'];
    return race(webFirst ? [webSocket, tls] : [tls, webSocket], {
      staggerMs,
      signal,
      discard: ({ duplex }) => duplex.destroy(),
      goOn: (error) => !signal.aborted && anotherWayMayWork(error),
      failed: (errors) => combined(errors, formatEgress(target)),
    });
  }

  #tls(signal: AbortSignal): Promise<Carrier> {
    return dialTls({ ...this.#common(), signal });
  }

  async #webSocket(signal: AbortSignal): Promise<Carrier> {
    const { target, headers, wsPath } = this.#options;
    const { outerCa, headers: secret = [] } = this.#options.trust();
    const form = this.#form;
    this.#form = undefined; // forgotten unless it works again
    const carrier = await dialWebSocket({
      ...this.#common(),
      ...(target.kind !== 'websocket' && { called: formatEgress(target) }),
      path: (target.kind === 'websocket' ? target.path : undefined) ?? wsPath,
      headers: Object.fromEntries([...headers, ...secret].map(({ name, value }) => [name, value])),
      signal,
      ...(outerCa && { outerCa }),
      ...(form && { form }),
    });
    this.#form = carrier.kind === 'websocket+tls' ? 'websocket+tls' : 'websocket';
    return carrier;
  }

  #common(): Omit<Parameters<typeof dialTls>[0], 'signal'> {
    const {
      target: { host, port },
      serverName,
      congestion,
      trust,
      deadlineMs,
    } = this.#options;
    const { credentials, ca, revocation, proxyFor } = trust();
    const proxy = proxyFor?.({ host, port });
    return {
      host,
      port,
      serverName: serverName ?? host,
      credentials,
      ca,
      ...(revocation && { revocation }),
      ...(proxy && { proxy }),
      ...(congestion !== undefined && { congestion }),
      deadlineMs,
    };
  }

  #network(): string {
    return (this.#options.network ?? networkName)() ?? '';
  }
}

function anotherWayMayWork(error: unknown): boolean {
  if (!(error instanceof AditError)) return false;
  if (proxyFailures.has(error.code)) return false;
  if (error.code === 'EGRESS_CERT_INVALID' || error.code === 'REVOCATION_STALE') return error instanceof StrangerError;
  return !hopeless.has((error.cause as NodeJS.ErrnoException | undefined)?.code ?? '');
}

/** One error when every way failed: all reasons, and the code of a certificate that is not trusted if there is one. */
function combined(errors: readonly unknown[], name: string): Error {
  // Every way met the same stranger: the last one has judged it by our CA and by the CAs of the system.
  const judged = errors.filter((error, at) => !(error instanceof StrangerError) || at === errors.length - 1);
  const refusals = judged.filter((error) => error instanceof AditError);
  const [first] = refusals;
  if (first === undefined || refusals.length < judged.length) {
    // a bug is passed on as it is
    const bug = errors.find((error) => !(error instanceof AditError));
    return bug instanceof Error ? bug : new Error(String(bug));
  }
  const { code, ownAdvice } = refusals.find((refusal) => refusal.code === 'EGRESS_CERT_INVALID') ?? first;
  return refusals.length === 1
    ? first
    : new AditError(
        code,
        `no way to the egress ${name}: ${[...new Set(refusals.map(({ message }) => message))].join('; ')}`,
        { cause: first, advice: ownAdvice },
      );
}

/**
 * How one egress is reached: by TLS, by WebSocket, or by whichever gets through.
 * Rule: every way ends in the same mutual TLS 1.3 with our CA, or in nothing. What worked is remembered for the network
 * it worked in, for a while; what is on the way and ends TLS is named in the log.
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
import type { Logger } from '@adit/shared/observe/logger';
import { networkName } from './network-watch.ts';
import type { ProxyFor } from '../proxy/proxies.ts';
import { race } from './race.ts';

/** What the ingress trusts and is, as it stands now. */
export interface Trust {
  readonly credentials: Credentials;
  readonly ca: TrustAnchors;
  readonly revocation: RevocationList | undefined;
  readonly outerCa: TrustAnchors | undefined;
  readonly proxyFor?: ProxyFor;
}

export interface DialerOptions {
  readonly target: EgressTarget;
  /** `auto`: whichever gets through. */
  readonly carrier: WayName | 'auto';
  /** The name in the certificate of the egress, where it is not its host. */
  readonly serverName: string | undefined;
  readonly wsPath: string;
  readonly headers: readonly HeaderField[];
  readonly trust: () => Trust;
  readonly deadlineMs: number;
  readonly log: Logger;
  /** Tells networks apart. */
  readonly network?: () => string | undefined;
}

type WayName = 'tls' | 'websocket';

/** How long TLS may try alone, ms. */
const staggerMs = 1_000;
/** How long what worked in a network is believed, ms. */
const rememberMs = 600_000;
/** After so many TLS carriers that died unanswered, something lets handshakes pass and cuts what it does not know. */
const suspicious = { unknown: 2, tls: 5 };
const maxNetworks = 16;
/** Where these happen, no other way to the same host and port does better. */
const hopeless = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EMFILE',
]);

/** A proxy that cannot be used or does not want to serve us does so for every way alike. */
const proxyTrouble = new Set<Code>(['PROXY_FAILED', 'PROXY_REFUSED', 'PROXY_AUTH_REQUIRED']);

export class Dialer {
  readonly #options: DialerOptions;
  /** The way on which the egress answered last in each network, and until when that is believed. */
  readonly #works = new Map<string, { readonly way: WayName; readonly untilMs: number }>();
  /** What the last carrier was made by. */
  #last: WayName = 'tls';
  /** TLS carriers in a row that came up and on which the egress did not answer. */
  #unanswered = 0;
  #form: WebSocketForm | undefined;
  #told: string | undefined;

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
    if (made.intermediary !== undefined && made.intermediary !== this.#told) {
      this.#options.log.warn(
        { event: 'intercepted', egress: formatEgress(target), issuer: made.intermediary },
        'TLS is ended on the way to the egress; the session is protected by the TLS inside',
      );
      this.#told = made.intermediary;
    }
    return made;
  }

  /** The egress answered on the carrier that was dialled last: this way gets through. */
  answered(): void {
    const network = this.#network();
    // Where TLS works, a WebSocket that won a race once (a slow moment) changes nothing.
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
      goOn: (error) => !signal.aborted && mayHelp(error),
      failed: (errors) => oneOf(errors, formatEgress(target)),
    });
  }

  #tls(signal: AbortSignal): Promise<Carrier> {
    return dialTls({ ...this.#common(), signal });
  }

  async #webSocket(signal: AbortSignal): Promise<Carrier> {
    const { target, headers, wsPath } = this.#options;
    const { outerCa } = this.#options.trust();
    const form = this.#form;
    this.#form = undefined; // until it works again
    const carrier = await dialWebSocket({
      ...this.#common(),
      path: (target.kind === 'websocket' ? target.path : undefined) ?? wsPath,
      headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
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
      deadlineMs,
    };
  }

  #network(): string {
    return (this.#options.network ?? networkName)() ?? '';
  }
}

function mayHelp(error: unknown): boolean {
  if (!(error instanceof AditError)) return false;
  if (proxyTrouble.has(error.code)) return false;
  if (error.code === 'EGRESS_CERT_INVALID' || error.code === 'REVOCATION_STALE') return error instanceof StrangerError;
  return !hopeless.has((error.cause as NodeJS.ErrnoException | undefined)?.code ?? '');
}

/** What to say when no way got through: every reason; a certificate that is not to be trusted is the one to act on. */
function oneOf(errors: readonly unknown[], name: string): Error {
  // A stranger is told by the last who looked at it: what it is for our CA and for this system.
  const told = errors.filter((error, at) => !(error instanceof StrangerError) || at === errors.length - 1);
  const refusals = told.filter((error) => error instanceof AditError);
  const [first] = refusals;
  if (first === undefined || refusals.length < told.length) {
    // a bug, to be seen as one
    const bug = errors.find((error) => !(error instanceof AditError));
    return bug instanceof Error ? bug : new Error(String(bug));
  }
  const { code } = refusals.find((refusal) => refusal.code === 'EGRESS_CERT_INVALID') ?? first;
  return refusals.length === 1
    ? first
    : new AditError(
        code,
        `no way to the egress ${name}: ${[...new Set(refusals.map(({ message }) => message))].join('; ')}`,
        { cause: first },
      );
}

/**
 * The ingress put together: credentials, links, and listeners with their front ends; reload and drain.
 * Rule: it listens before it reaches the egress, so that local programs never see a closed port. A reload changes what
 * the next carrier uses.
 */
import { resolveSrv } from 'node:dns/promises';
import { dialProven } from '@adit/shared/carrier/proven-tls';
import { type ConnectTarget, type EgressTarget, formatEgress } from '@adit/shared/config/values/egress-address';
import { AditError } from '@adit/shared/errors';
import { ExpiryWatch } from '@adit/shared/identity/expiry';
import { type Activation, checkActivation } from '@adit/shared/net/activation';
import { listen, type Listener } from '@adit/shared/net/listen';
import { Patience } from '@adit/shared/net/patience';
import type { Logger } from '@adit/shared/observe/logger';
import { within } from '@adit/shared/process/signals';
import { watchFiles } from '@adit/shared/process/watch-files';
import { defaultWindowBytes } from '@adit/shared/protocol/mux/window';
import type { StreamOpener } from '@adit/shared/stream/contract';
import { type ConnectionContext, serveConnection, type SessionSource } from './connection.ts';
import { Dialer } from './link/dialer.ts';
import { Discovery } from './link/discovery.ts';
import { ConnectEgress } from './connect/connect-egress.ts';
import { Egresses, type EgressLink } from './link/egresses.ts';
import { Link } from './link/link.ts';
import { type FilePart, type IngressFiles, loadIngressFiles, namedParts } from './files.ts';
import { type LocalListener, localListeners } from './listeners.ts';
import { LocalClient } from './local-client.ts';
import { watchNetwork } from './link/network-watch.ts';
import type { IngressOptions } from './options.ts';

export interface IngressDeps {
  readonly log: Logger;
  readonly agent: string;
  /** The sockets that systemd handed to the process. */
  readonly activation?: Activation;
}

const handshakeTimeoutMs = 10_000;
const maxWaiting = 4_096;
/** How often SRV records are looked up, ms. */
const discoverAgainMs = 30_000;

export class IngressAgent {
  readonly addresses: string[] = [];
  readonly #options: IngressOptions;
  readonly #deps: IngressDeps;
  readonly #egresses: Egresses;
  readonly #discovery: Discovery;
  readonly #listeners: Listener[] = [];
  readonly #clients = new Set<LocalClient>();
  readonly #stopped = new AbortController();
  readonly #expiry: ExpiryWatch;
  #trust: IngressFiles;
  #emptied: (() => void) | undefined;

  constructor(options: IngressOptions, deps: IngressDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#trust = loadIngressFiles(options);
    this.#expiry = new ExpiryWatch({ loaded: () => this.#trust, log: deps.log });
    this.#discovery = new Discovery({ addresses: options.egress, resolveSrv, random: Math.random });
    this.#egresses = new Egresses({
      selection: options.select,
      connectTimeoutMs: options.connectTimeoutMs,
      maxWaiting,
      log: deps.log,
      makeLink: (egress, onUsable) => this.#link(egress, onUsable),
    });
  }

  /** Opens the listeners. Rejects with LISTEN_FAILED or ACTIVATION_INVALID. */
  async start(): Promise<void> {
    this.watch();
    const listeners = localListeners(this.#options, {
      users: () => this.#trust.proxyUsers,
      certificates: () => this.#trust.localCertificates,
    });
    checkActivation(
      this.#deps.activation,
      listeners.map(({ listen: at }) => at),
    );
    for (const listener of listeners) await this.#listen(listener);
  }

  /** Watches the files that the options name: part of `start`, and called by itself if nothing listens. */
  watch(): void {
    // In the same turn in which the files were loaded, so that no change is missed.
    const { signal } = this.#stopped;
    this.#expiry.start(signal);
    for (const part of namedParts(this.#options))
      watchFiles(part.files(this.#options), () => this.#reloadParts([part], 'a file changed'), { signal });
  }

  /** For streams that are opened without a listener. */
  get sessions(): SessionSource {
    return this.#egresses;
  }
  /** Streams that are open at any egress. */
  get streams(): number {
    return this.#egresses.streams;
  }

  /** In one line, for the service manager. */
  get status(): string {
    const { up } = this.#egresses;
    return `egress: ${up.length === 0 ? 'none is reached' : up.join(', ')}; connections: ${this.#clients.size}`;
  }

  /** Keeps the links up; resolves when stopped, rejects when denied for good. */
  run(): Promise<void> {
    void this.#discover();
    watchNetwork(() => this.#egresses.doubt(), this.#stopped.signal);
    return this.#egresses.run();
  }

  /** Moves every session to a fresh carrier, without loss. */
  swap(cause: string): Promise<void> {
    return this.#egresses.swap(cause);
  }

  /** Loads every file again, for the next carrier and the next client. What is not usable stays as it was. */
  reload(cause: string): void {
    this.#reloadParts(namedParts(this.#options), cause);
  }

  #reloadParts(parts: readonly FilePart[], cause: string): void {
    const before = this.#trust;
    for (const part of parts) this.#reloadPart(part, cause);
    if (this.#trust.credentials !== before.credentials || this.#trust.shown !== before.shown) this.#expiry.reloaded();
    // The egress ends a session when the certificate that it saw expires, so it has to see the new one.
    if (this.#trust.credentials.certPem !== before.credentials.certPem) void this.swap('a new certificate');
  }

  #reloadPart({ what, load }: FilePart, cause: string): void {
    const { log } = this.#deps;
    try {
      this.#trust = { ...this.#trust, ...load(this.#options) };
      log.info({ event: 'reloaded', what, cause }, `${what} reloaded`);
      if (what === 'certificates') this.#egresses.retryDenied();
    } catch (error) {
      if (!(error instanceof AditError)) throw error;
      log.error(
        { event: 'reload-failed', what, cause, code: error.code, reason: error.message, advice: error.advice },
        `${what} not reloaded: the old ones stay in force`,
      );
    }
  }

  /** Stops accepting, lets connections finish up to the drain timeout, then resets what is left. */
  async drain(signal: AbortSignal): Promise<void> {
    const { drainTimeoutMs } = this.#options;
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    this.#deps.log.info({ event: 'draining', streams: this.#clients.size, timeoutMs: drainTimeoutMs }, 'draining');
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    if (this.#clients.size > 0) await within(emptied, drainTimeoutMs, signal);
    this.close();
  }

  close(): void {
    this.#stopped.abort();
    for (const listener of this.#listeners) void listener.close();
    for (const client of [...this.#clients]) client.abort('DRAINING', 'the ingress stops');
    this.#egresses.stop();
  }

  async #listen({ listen: at, acceptProxy, frontEnd, logged, opened }: LocalListener): Promise<void> {
    const { log, activation } = this.#deps;
    const context = {
      frontEnd,
      sessions: this.#egresses,
      ...(acceptProxy && { acceptProxy }),
      idleTimeoutMs: this.#options.idleTimeoutMs,
      log,
    };
    const listener = await listen(at, (socket) => void this.#serve(new LocalClient(socket, log), context), {
      ...(activation && { sockets: activation.sockets }),
      onTrouble: (reason) => log.warn({ event: 'failed', code: 'OVERLOAD', reason }),
    });
    this.#listeners.push(listener);
    opened?.(listener);
    this.addresses.push(listener.address);
    log.info({ event: 'listening', address: listener.address, ...logged }, 'listening');
  }

  async #serve(client: LocalClient, context: ConnectionContext): Promise<void> {
    this.#clients.add(client);
    await serveConnection(client, context);
    this.#clients.delete(client);
    if (this.#clients.size === 0) this.#emptied?.();
  }

  /** Finds the egresses; again after a while if they can change. */
  async #discover(): Promise<void> {
    try {
      this.#egresses.update(await this.#discovery.find());
    } catch (error) {
      if (!(error instanceof AditError)) throw error;
      this.#egresses.trouble = error.message;
      this.#deps.log.warn({ event: 'retrying', error, delayMs: discoverAgainMs }, 'no egress found');
    }
    if (this.#discovery.changes && !this.#stopped.signal.aborted)
      setTimeout(() => void this.#discover(), discoverAgainMs).unref();
  }

  #link(target: EgressTarget, onUsable: (opener: StreamOpener) => void): EgressLink {
    const { log, agent } = this.#deps;
    if (target.kind === 'connect' || target.kind === 'connect+h2') return this.#connectEgress(target, onUsable);
    const { carrier, serverName, wsPath, headers, congestion, maxCarrierAgeMs, maxReplayPerSession, lanes } =
      this.#options;
    const dialer = new Dialer({
      target,
      carrier,
      serverName,
      wsPath,
      headers,
      congestion,
      trust: () => this.#trust,
      deadlineMs: handshakeTimeoutMs,
      log,
    });
    return new Link({
      name: formatEgress(target),
      dial: (signal) => dialer.dial(signal),
      dialBeside: (beside, signal) => dialer.dialBeside(beside, signal),
      lanes,
      answered: () => dialer.answered(),
      onUsable,
      handshakeTimeoutMs,
      maxCarrierAgeMs,
      window: defaultWindowBytes,
      replayLimitBytes: maxReplayPerSession,
      agent,
      log,
    });
  }

  #connectEgress(target: ConnectTarget, onUsable: (opener: StreamOpener) => void): ConnectEgress {
    const { host, port } = target;
    return new ConnectEgress({
      target,
      onUsable,
      deadlineMs: handshakeTimeoutMs,
      log: this.#deps.log,
      dial: (signal) => {
        const { credentials, ca, revocation, proxyFor } = this.#trust;
        const proxy = proxyFor?.({ host, port });
        return dialProven({
          host,
          port,
          alpn: target.kind === 'connect' ? 'http/1.1' : 'h2',
          serverName: this.#options.serverName ?? host,
          credentials,
          ca,
          ...(revocation && { revocation }),
          ...(proxy && { proxy }),
          congestion: this.#options.congestion,
          deadline: new Patience(handshakeTimeoutMs),
          signal,
        });
      },
    });
  }
}

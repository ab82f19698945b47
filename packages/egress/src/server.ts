/**
 * The egress put together: listeners, TLS, who is trusted, the policy, the sessions; reload and drain.
 * Rule: what a reload cannot load stays as it was and says so; what it loads is in force for the next handshake, the
 * next stream and, where it takes something away, for the sessions and streams that are open.
 */
import type net from 'node:net';
import { dirname } from 'node:path';
import tls from 'node:tls';
import { acceptInnerTls } from '@adit/shared/carrier/inner-tls';
import { alpn, serverOptions } from '@adit/shared/carrier/tls';
import type { ListenSpec } from '@adit/shared/config/values/listen-at';
import { AditError } from '@adit/shared/errors';
import { type Credentials, loadCredentials } from '@adit/shared/identity/credentials';
import { ExpiryWatch } from '@adit/shared/identity/expiry';
import type { PeerContext } from '@adit/shared/identity/peer';
import { loadRevocationList, type RevocationList } from '@adit/shared/identity/revocation';
import { loadTrustAnchors, type TrustAnchors } from '@adit/shared/identity/trust';
import { type Activation, checkActivation } from '@adit/shared/net/activation';
import { listen, type Listener } from '@adit/shared/net/listen';
import type { AccessRecord } from '@adit/shared/observe/access-record';
import type { Logger } from '@adit/shared/observe/logger';
import { within } from '@adit/shared/process/signals';
import { watchFiles } from '@adit/shared/process/watch-files';
import { defaultWindowBytes } from '@adit/shared/protocol/mux/window';
import { Attachments, type Arrival } from './session/attach.ts';
import { loadServices, Services } from './backend/services.ts';
import { loadDestinationTls, type ServiceTls } from './backend/service-tls.ts';
import { ConnectService } from './connect/service.ts';
import { HttpDoor } from './door/http.ts';
import { Limits } from './limits.ts';
import type { EgressOptions } from './options.ts';
import { PolicyFile } from './policy/reload.ts';
import { ProxyHeaders } from './door/proxy-header.ts';
import { Sessions } from './session/sessions.ts';

export interface EgressDeps {
  readonly log: Logger;
  readonly record: (record: AccessRecord) => void;
  readonly agent: string;
  /** The sockets that systemd handed to the process. */
  readonly activation?: Activation;
}

interface Trust {
  readonly credentials: Credentials;
  readonly anchors: TrustAnchors;
  readonly revocation: RevocationList | undefined;
  readonly destinationTls: ServiceTls;
}

const recheckMs = 15_000;

/** Everything that `--check` checks: the files that the options name. */
export function loadEgressFiles(options: EgressOptions): { trust: Trust; policy: PolicyFile } {
  const policy = new PolicyFile(options.policy);
  loadServices(policy.current.services, dirname(options.policy), policy.current.vias);
  return { trust: loadTrust(options), policy };
}

export class EgressServer {
  readonly addresses: string[] = [];
  readonly #options: EgressOptions;
  readonly #deps: EgressDeps;
  readonly #policy: PolicyFile;
  readonly #limits: Limits;
  readonly #services: Services;
  readonly #sessions: Sessions;
  readonly #attachments: Attachments;
  readonly #proxyHeaders: ProxyHeaders;
  readonly #connect: ConnectService;
  readonly #http: HttpDoor;
  readonly #tls: tls.Server;
  readonly #stopped = new AbortController();
  readonly #expiry: ExpiryWatch;
  readonly #listeners: Listener[] = [];
  #trust: Trust;
  #servicesWatch = new AbortController();
  #draining = false;
  #recheck: NodeJS.Timeout | undefined;

  constructor(options: EgressOptions, deps: EgressDeps) {
    const { trust, policy } = loadEgressFiles(options);
    this.#options = options;
    this.#deps = deps;
    this.#trust = trust;
    this.#policy = policy;
    this.#limits = new Limits(options);
    this.#services = new Services({
      log: deps.log,
      destinationTls: () => this.#trust.destinationTls,
      permitProbe: (service, backend, address) => this.#policy.current.decideProbe(service, backend, address),
    });
    this.#expiry = new ExpiryWatch({ loaded: () => this.#trust, log: deps.log });
    this.#sessions = new Sessions({
      options: { ...options, window: defaultWindowBytes, agent: deps.agent },
      limits: this.#limits,
      policy: () => this.#policy.current,
      services: this.#services,
      log: deps.log,
      record: deps.record,
    });
    this.#attachments = new Attachments({
      ...options,
      peers: () => this.#peers(),
      policy: () => this.#policy.current,
      sessions: this.#sessions,
      draining: () => this.#draining,
      log: deps.log,
    });
    this.#proxyHeaders = new ProxyHeaders({ from: options.acceptProxyProtocol, log: deps.log });
    this.#connect = new ConnectService({
      options,
      limits: this.#limits,
      policy: () => this.#policy.current,
      services: this.#services,
      peers: () => this.#peers(),
      draining: () => this.#draining,
      log: deps.log,
      record: deps.record,
    });
    this.#http = new HttpDoor({
      wsPath: options.wsPath,
      attachments: this.#attachments,
      connect: this.#connect,
      innerTls: () => serverOptions(this.#trust.credentials, this.#trust.anchors),
      draining: () => this.#draining,
      log: deps.log,
    });
    this.#tls = tls.createServer({ ...portOptions(trust), handshakeTimeout: options.handshakeTimeoutMs });
    this.#tls.on('secureConnection', (socket) => this.#secured(socket, this.#attachments.arrivalOf(socket)));
    this.#tls.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      deps.log.debug(
        {
          event: 'handshake',
          remote: this.#attachments.arrivalOf(socket)?.remote ?? socket.remoteAddress,
          reason: error.code ?? error.message,
        },
        'TLS handshake failed',
      );
      socket.destroy();
    });
  }

  get streams(): number {
    return this.#limits.streams;
  }

  /** Opens the listeners. Rejects with LISTEN_FAILED or ACTIVATION_INVALID. */
  async start(): Promise<void> {
    // In the same turn as the files were loaded: what changes from here on is seen.
    const { cert, key, clientCa, crl, policy, serviceCa, serviceCert, serviceKey } = this.#options;
    const optional = [crl, serviceCa, serviceCert, serviceKey].filter((file) => file !== undefined);
    watchFiles([cert, key, clientCa, policy, ...optional], () => this.reload('a file changed'), {
      signal: this.#stopped.signal,
    });
    this.#services.prepare(this.#policy.current.services, dirname(policy), this.#policy.current.vias)();
    this.#watchServices();
    const { listen: own, listenHttp } = this.#options;
    checkActivation(
      this.#deps.activation,
      [...own, ...listenHttp].map(({ listen: at }) => at),
    );
    for (const at of own) await this.#listen(at, (socket, arrival) => this.#secure(socket, arrival));
    for (const at of listenHttp)
      await this.#listen(at, (socket, arrival) => this.#http.accept(socket, { arrival }), { http: true });
    this.#expiry.start(this.#stopped.signal);
    this.#recheck = setInterval(() => this.#recheckIdentities(), recheckMs).unref();
  }

  /** Loads every file again; each that is bad keeps its old content in force. */
  reload(cause: string): void {
    void this.#reloadPolicy(cause);
    this.#attempt('certificates', cause, () => {
      const trust = loadTrust(this.#options);
      this.#tls.setSecureContext(portOptions(trust));
      this.#trust = trust;
      this.#expiry.reloaded();
      this.#recheckIdentities();
    });
  }

  /**
   * In slices where a blocklist is to be read: the old policy serves on meanwhile. A later reload takes over from one
   * that is not done.
   */
  async #reloadPolicy(cause: string): Promise<void> {
    let serve = (): void => {
      /* assigned before it is called */
    };
    try {
      const reloading = this.#policy.reload({
        prepare: (next) => {
          serve = this.#services.prepare(next.services, dirname(this.#options.policy), next.vias);
        },
        enforced: () => {
          serve();
          for (const served of [this.#sessions, this.#connect]) served.recheckPolicy();
        },
      });
      this.#watchServices(); // with the blocklists that were named just now: also when they turn out not to be usable
      if (!(await reloading) || this.#stopped.signal.aborted) return;
      this.#watchServices();
      this.#reloaded('policy', cause);
      if (this.#policy.stale) this.reload('a file changed while it was read');
    } catch (error) {
      this.#notReloaded('policy', cause, error);
    }
  }

  /** Stops accepting, lets streams finish up to the drain timeout, then resets what is left. */
  async drain(signal: AbortSignal): Promise<void> {
    const { drainTimeoutMs } = this.#options;
    this.#draining = true;
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    this.#deps.log.info({ event: 'draining', streams: this.#limits.streams, timeoutMs: drainTimeoutMs }, 'draining');
    await within(
      Promise.all([this.#sessions.drain(drainTimeoutMs), this.#connect.drain()]).then(() => undefined),
      drainTimeoutMs,
      signal,
    );
    this.close();
  }

  /** Cuts everything. */
  close(): void {
    this.#stopped.abort();
    this.#policy.close();
    this.#services.close();
    clearInterval(this.#recheck);
    for (const listener of this.#listeners) void listener.close();
    this.#attachments.close();
    for (const served of [this.#sessions, this.#connect])
      served.endAll({ code: 'DRAINING', reason: 'the egress has shut down' });
  }

  async #listen(
    { listen: at, acceptProxy }: ListenSpec,
    serve: (socket: net.Socket, arrival: Arrival) => void,
    said: { readonly http?: true } = {},
  ): Promise<void> {
    const { log, activation } = this.#deps;
    const listener = await listen(
      at,
      (socket) => {
        // until the handshake is done: a peer that leaves in the middle of it shall not hold its place
        socket.allowHalfOpen = false;
        const arrival = this.#attachments.accept(socket);
        if (!arrival) return;
        this.#proxyHeaders.accept({ ...arrival, ...(acceptProxy && { acceptProxy }) }, (remote) => {
          arrival.remote = remote;
          serve(socket, arrival);
        });
      },
      {
        pauseOnConnect: false,
        ...(activation && { sockets: activation.sockets }),
        onTrouble: (reason) => log.warn({ event: 'failed', code: 'OVERLOAD', reason }),
      },
    );
    this.#listeners.push(listener);
    this.addresses.push(listener.address);
    log.info({ event: 'listening', address: listener.address, ...said }, 'listening');
  }

  /**
   * Begins TLS. Over a Unix socket there are no addresses to know the arrival by: the handshake is a server of its own.
   */
  #secure(socket: net.Socket, arrival: Arrival): void {
    if (!arrival.unix) {
      this.#tls.emit('connection', socket);
      return;
    }
    acceptInnerTls(socket, portOptions(this.#trust), this.#options.handshakeTimeoutMs).then(
      (secure) => this.#secured(secure, arrival),
      (error: unknown) => {
        if (!(error instanceof AditError)) throw error;
        this.#deps.log.debug(
          { event: 'handshake', remote: arrival.remote, reason: error.message },
          'TLS handshake failed',
        );
      },
    );
  }

  /** TLS is up: frames or HTTP, as the client chose by ALPN (RFC 7301); one that chose nothing speaks HTTP. */
  #secured(socket: tls.TLSSocket, arrival: Arrival | undefined): void {
    socket.on('error', () => {
      /* arrives at its owner with `close` */
    });
    socket.allowHalfOpen = true;
    if (!arrival) socket.destroy();
    else if (socket.alpnProtocol === alpn)
      void this.#attachments.offered(arrival, { kind: 'tls', duplex: socket, proof: socket });
    else this.#http.accept(socket, { arrival, proof: socket });
  }

  /** The files of the services, and the blocklists: others with every policy. */
  #watchServices(): void {
    const files = [...new Set([...this.#services.files, ...this.#policy.blocklists])];
    this.#servicesWatch.abort();
    this.#servicesWatch = new AbortController();
    if (files.length > 0)
      watchFiles(files, () => this.reload('a file changed'), {
        signal: AbortSignal.any([this.#stopped.signal, this.#servicesWatch.signal]),
      });
  }

  #attempt(what: string, cause: string, load: () => void): void {
    try {
      load();
      this.#reloaded(what, cause);
    } catch (error) {
      this.#notReloaded(what, cause, error);
    }
  }

  #reloaded(what: string, cause: string): void {
    this.#deps.log.info({ event: 'reloaded', what, cause }, `${what} reloaded`);
  }

  #notReloaded(what: string, cause: string, error: unknown): void {
    if (!(error instanceof AditError)) throw error;
    this.#deps.log.error(
      { event: 'reload-failed', what, cause, code: error.code, reason: error.message },
      `${what} not reloaded: the old ones stay in force`,
    );
  }

  #recheckIdentities(): void {
    const peers = this.#peers();
    this.#sessions.recheckIdentities(peers);
    this.#connect.recheckIdentities(peers);
  }

  #peers(): PeerContext {
    const { anchors, revocation } = this.#trust;
    return { now: new Date(), anchors, ...(revocation && { revocation }) };
  }
}

function loadTrust(options: EgressOptions): Trust {
  const anchors = loadTrustAnchors(options.clientCa);
  return {
    credentials: loadCredentials({ cert: options.cert, key: options.key, role: 'egress' }),
    anchors,
    revocation: options.crl === undefined ? undefined : loadRevocationList(options.crl, anchors),
    destinationTls: loadDestinationTls(options),
  };
}

/** The TLS of the port: one for all that is spoken on it. */
function portOptions({ credentials, anchors }: Trust): tls.TlsOptions {
  return { ...serverOptions(credentials, anchors), ALPNProtocols: [alpn, 'h2', 'http/1.1'] };
}

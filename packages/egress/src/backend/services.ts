/**
 * The services of the policy in force: reaches one through a backend that answers, and knows which do.
 * Rule: another backend is tried only until a connection is made, so that nothing of the stream is sent twice. Every
 * backend is tried at most once, all within one dial timeout, of which each gets a share. The pools change together
 * with the policy.
 * Not here: what an identity may reach (`permit` asks the policy).
 */
import { AditError } from '@adit/shared/errors';
import { Deadline } from '@adit/shared/net/deadline';
import type { RelaySocket } from '@adit/shared/net/sockets';
import type { ShownCertificate } from '@adit/shared/identity/expiry';
import type { Logger } from '@adit/shared/observe/logger';

import { allBackendsFailed, type FailedBackend } from '../dialer/failure.ts';
import type { Permit } from '../dialer/judged.ts';
import type { LookUps } from '../dialer/look-ups.ts';
import type { Resolve } from '../dialer/resolve.ts';
import type { Backend, Service } from '../policy/service.ts';
import { Probes, countsAgainst, whyOf, type Probe } from './probes.ts';
import { connectBackend, type Connected, type Hop } from './connect.ts';
import { greeting, ownGreeting, type Caller } from './greeting.ts';
import { Pool, type HealthChange } from './pool.ts';
import { hopFilesOf, loadNextHop, type NextHop } from './next-hop.ts';
import { loadServiceTls, tlsFilesOf, type ServiceTls } from './service-tls.ts';
import { addressOf } from './sticky.ts';
import { newPseudonym, viaHeader } from '../via-header.ts';
import type { Via } from '../policy/via.ts';

export interface ServicesContext {
  readonly log: Logger;
  /** The queue before the resolver; absent: there is none. */
  readonly lookUps?: LookUps;
  /** How a `tls://` destination of a client is verified. */
  readonly destinationTls: () => ServiceTls;
  /** May a probe reach this address of a backend? */
  readonly permitProbe: (service: string, backend: Backend, address: string) => Permit;
}

export interface ReachRequest {
  /** Where it may go; of a service the backends that the policy permits. */
  readonly backends: readonly Backend[];
  readonly service?: Service;
  readonly caller: Caller;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly permit: (backend: Backend, address: string) => Permit;
  /** Over which hops the request came, by the header Via of a CONNECT. */
  readonly hops?: readonly string[];
}

/** `attempts`: how many backends were dialled. Call `release` once, when the stream is over. */
export interface Reached {
  readonly local: RelaySocket;
  readonly backend: Backend;
  readonly address: string;
  readonly rule: string;
  readonly attempts: number;
  release(): void;
}

interface Serving {
  readonly pool: Pool;
  readonly probes: Probes;
  readonly tls: ServiceTls | undefined;
}

/** The next hops of services, each once. */
function hopsOfServices(services: ReadonlyMap<string, Service>): Via[] {
  return [
    ...new Set(
      [...services.values()].flatMap(({ backends }) => backends.flatMap(({ via }) => (via === undefined ? [] : [via]))),
    ),
  ];
}

/** The files of services and next hops, loaded. */
interface LoadedServices {
  readonly tls: ReadonlyMap<string, ServiceTls>;
  readonly hops: ReadonlyMap<Via, NextHop>;
}

function shownBy({ tls, hops }: LoadedServices): ShownCertificate[] {
  const all = [
    ...[...tls].map(([name, { client }]) => ({ whose: `the service ${name}`, client })),
    ...[...hops.values()].map(({ name, credentials }) => ({ whose: `via ${name}`, client: credentials })),
  ];
  return all.flatMap(({ whose, client }) => (client ? [{ what: `certificate of ${whose}`, leaf: client.leaf }] : []));
}

/**
 * Everything that the services of a policy, and the next hops of its rules, need from other files. Fails with
 * CONFIG_INVALID or CREDENTIALS_UNUSABLE.
 */
export function loadServices(
  services: ReadonlyMap<string, Service>,
  folder: string,
  vias: readonly Via[] = [],
): LoadedServices {
  const secured = [...services.values()].filter(({ backends }) => backends.some(({ kind }) => kind === 'tls'));
  return {
    tls: new Map(secured.map((service) => [service.name, loadServiceTls(service, folder)])),
    hops: new Map([...hopsOfServices(services), ...vias].map((via) => [via, loadNextHop(via, folder)])),
  };
}

export class Services {
  /** The name of this egress in the header Via. */
  readonly pseudonym = newPseudonym();
  readonly #context: ServicesContext;
  /** Weak, so that a stream that an older policy judged still finds its hop. */
  readonly #hops = new WeakMap<Via, NextHop>();
  #serving: ReadonlyMap<string, Serving> = new Map();
  #files: readonly string[] = [];
  #shown: readonly ShownCertificate[] = [];
  #closed = false;

  constructor(context: ServicesContext) {
    this.#context = context;
  }

  /** The files beside the policy that its services were loaded from. */
  get files(): readonly string[] {
    return this.#files;
  }

  /** The certificates that its backends and next hops are shown. */
  get shownCertificates(): readonly ShownCertificate[] {
    return this.#shown;
  }

  /**
   * Loads what these services need; calling the result puts them in force. Fails as `loadServices` does, and then
   * nothing has changed.
   */
  prepare(services: ReadonlyMap<string, Service>, folder: string, vias: readonly Via[] = []): () => void {
    const loaded = loadServices(services, folder, vias);
    return () => {
      const before = this.#serving;
      for (const { probes } of before.values()) probes.stop();
      for (const [via, hop] of loaded.hops) this.#hops.set(via, hop);
      this.#shown = shownBy(loaded);
      this.#files = [
        ...[...services.values()].flatMap((service) => tlsFilesOf(service, folder)),
        ...[...loaded.hops.keys()].flatMap((via) => hopFilesOf(via, folder)),
      ];
      this.#serving = new Map(
        [...services.values()].map((service) => [
          service.name,
          this.#serve(service, { pool: before.get(service.name)?.pool, tls: loaded.tls.get(service.name) }),
        ]),
      );
      for (const { pool, probes } of this.#serving.values()) if (pool.watched && !this.#closed) probes.start();
    };
  }

  /** Stops all probes. */
  close(): void {
    this.#closed = true;
    for (const { probes } of this.#serving.values()) probes.stop();
  }

  /** Connects to a single destination, or to one backend of a service. Fails with the error that says most. */
  async reach(request: ReachRequest): Promise<Reached> {
    const {
      service,
      backends: [only],
      caller: { alpn, identity },
      timeoutMs,
      signal,
      permit,
      hops,
    } = request;
    const serving = service && this.#serving.get(service.name);
    if (serving) return this.#reachService(request, serving);
    const tls = only!.kind === 'tls' ? this.#context.destinationTls() : undefined;
    const connected = await connectBackend({
      backend: only!,
      deadline: new Deadline(timeoutMs),
      signal,
      permit: (address) => permit(only!, address),
      resolve: this.#context.lookUps?.of(identity.uri),
      ...(alpn !== undefined && { alpn }),
      ...(tls && { tls }),
      ...this.#through(only!, hops),
    });
    return { ...connected, backend: only!, attempts: 1, release: nothing };
  }

  async #reachService(request: ReachRequest, serving: Serving): Promise<Reached> {
    const { caller, timeoutMs, backends: permitted } = request;
    const { pool } = serving;
    const deadline = new Deadline(timeoutMs);
    const tried = new Set<string>();
    const failed: FailedBackend[] = [];
    const key = pool.service.hashOn === 'client' ? addressOf(caller) : caller.identity.uri;
    for (;;) {
      const choice = deadline.passed && failed.length > 0 ? undefined : pool.choose({ permitted, tried, key });
      if (choice === undefined) throw allBackendsFailed(pool.service.name, failed);
      const { backend, others } = choice;
      tried.add(backend.name);
      const release = pool.take(backend.name);
      try {
        const share = deadline.share(others + 1);
        const connected = await this.#connect(request, { serving, backend, deadline: share });
        pool.report(backend.name);
        return { ...connected, backend, attempts: tried.size, release };
      } catch (error) {
        release();
        if (!(error instanceof AditError)) throw error;
        if (countsAgainst(error)) pool.report(backend.name, whyOf(error));
        else if (error.code === 'PEER_GONE' || error.code === 'OVERLOAD') throw error;
        failed.push({ backend: backend.name, error });
      }
    }
  }

  #connect(
    { caller, signal, permit, hops }: ReachRequest,
    {
      serving: { pool, tls },
      backend,
      deadline,
    }: { readonly serving: Serving; readonly backend: Backend; readonly deadline: Deadline },
  ): Promise<Connected> {
    const { name, proxyProtocol } = pool.service;
    return connectBackend({
      backend,
      called: name,
      deadline,
      signal,
      permit: (address) => permit(backend, address),
      resolve: this.#resolverOf(name),
      ...(proxyProtocol && { greet: (to) => greeting(proxyProtocol, caller, to) }),
      ...(caller.alpn !== undefined && { alpn: caller.alpn }),
      ...(tls && { tls }),
      ...this.#through(backend, hops),
    });
  }

  /**
   * Names of backends are the operator's, and few: they have a share of their own, which no client can use up.
   * Otherwise a client that fills its own could let the look-up of a backend time out, and the backend would be down
   * for everybody.
   */
  #resolverOf(service: string): Resolve | undefined {
    return this.#context.lookUps?.of(`service ${service}`);
  }

  /** The next hop of a backend, loaded. */
  #through({ via }: Backend, hops: readonly string[] = []): { readonly hop?: Hop } {
    const to = via && this.#hops.get(via);
    return to === undefined ? {} : { hop: { to, via: viaHeader(hops, this.pseudonym) } };
  }

  #serve(
    service: Service,
    { pool: known, tls }: { readonly pool: Pool | undefined; readonly tls: ServiceTls | undefined },
  ): Serving {
    const pool = known ?? new Pool(service, (change) => this.#changed(change));
    pool.replace(service);
    return { pool, tls, probes: new Probes({ pool, probe: this.#probe(service, tls) }) };
  }

  /** Connects as a stream does, and closes the connection. */
  #probe({ name, proxyProtocol }: Service, tls: ServiceTls | undefined): Probe {
    return async (backend, options) => {
      const {
        local: { socket },
      } = await connectBackend({
        ...options,
        backend,
        called: name,
        permit: (address) => this.#context.permitProbe(name, backend, address),
        resolve: this.#resolverOf(name),
        ...(proxyProtocol && { greet: () => ownGreeting(proxyProtocol) }),
        ...(tls && { tls }),
        ...this.#through(backend),
      });
      socket.destroy();
    };
  }

  #changed({ service, backend, isUp, up, all, reason }: HealthChange): void {
    const { log } = this.#context;
    if (isUp) {
      log.info({ event: 'backend-up', service: service.name, backend, up, of: all }, 'a backend is up again');
      return;
    }
    log.warn(
      { event: 'backend-down', service: service.name, backend, reason, up, of: all },
      up === 0 ? 'no backend is up: all are tried' : 'a backend is down',
    );
    this.#serving.get(service.name)?.probes.wake(backend);
  }
}

function nothing(): void {
  /* no pool counts this connection */
}

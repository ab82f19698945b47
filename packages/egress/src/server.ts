/**
 * The egress put together: what is trusted, the policy, the services, the clients and the door; reload and drain.
 * Rule: what a reload cannot load stays as it was, and the log says so; what it loads is in force for the next
 * handshake and the next stream, and ends what is open and no longer allowed.
 */
import { dirname } from 'node:path';
import { AditError } from '@adit/shared/errors';
import { type Credentials, loadCredentials } from '@adit/shared/identity/credentials';
import { ExpiryWatch } from '@adit/shared/identity/expiry';
import type { PeerContext } from '@adit/shared/identity/peer';
import { loadRevocationList, type RevocationList } from '@adit/shared/identity/revocation';
import { loadTrustAnchors, type TrustAnchors } from '@adit/shared/identity/trust';
import type { Activation } from '@adit/shared/net/activation';
import type { AccessRecord } from '@adit/shared/observe/access-record';
import type { Logger } from '@adit/shared/observe/logger';
import { within } from '@adit/shared/process/signals';
import { watchFiles } from '@adit/shared/process/watch-files';
import { defaultWindowBytes } from '@adit/shared/protocol/mux/window';
import { loadServices, Services } from './backend/services.ts';
import { loadDestinationTls, type ServiceTls } from './backend/service-tls.ts';
import { Clients } from './clients/clients.ts';
import { LookUps } from './dialer/look-ups.ts';
import { systemResolve } from './dialer/resolve.ts';
import { Door } from './door/door.ts';
import { Limits } from './limits.ts';
import type { EgressOptions } from './options.ts';
import { PolicyFile } from './policy/reload.ts';
import { Sessions } from './session/sessions.ts';

export interface EgressDeps {
  readonly log: Logger;
  readonly record: (record: AccessRecord) => void;
  readonly agent: string;
  /** How many names can be looked up at once; absent: 2, what there is in a process whose pool nobody enlarged. */
  readonly lookUpsAtOnce?: number;
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
  readonly #options: EgressOptions;
  readonly #log: Logger;
  readonly #policy: PolicyFile;
  readonly #limits: Limits;
  readonly #services: Services;
  readonly #clients: Clients;
  readonly #door: Door;
  readonly #stopped = new AbortController();
  readonly #expiry: ExpiryWatch;
  #trust: Trust;
  #servicesWatch = new AbortController();
  #draining = false;
  #recheck: NodeJS.Timeout | undefined;

  constructor(options: EgressOptions, deps: EgressDeps) {
    const { log, agent, activation, lookUpsAtOnce = 2 } = deps;
    const { trust, policy } = loadEgressFiles(options);
    this.#options = options;
    this.#log = log;
    this.#trust = trust;
    this.#policy = policy;
    this.#limits = new Limits(options);
    this.#services = new Services({
      log,
      lookUps: new LookUps({ atOnce: lookUpsAtOnce, lookUp: systemResolve }),
      destinationTls: () => this.#trust.destinationTls,
      permitProbe: (service, backend, address) => this.#policy.current.decideProbe(service, backend, address),
    });
    this.#expiry = new ExpiryWatch({ loaded: () => this.#trust, log });
    this.#clients = this.#makeClients(deps);
    const sessionOptions = { ...options, window: defaultWindowBytes, agent };
    const sessions = new Sessions({ options: sessionOptions, clients: this.#clients, log });
    this.#door = new Door({
      options,
      trust: () => this.#trust,
      clients: this.#clients,
      sessions,
      log,
      ...(activation && { activation }),
    });
  }

  #makeClients({ log, record }: EgressDeps): Clients {
    const { dialTimeoutMs, idleTimeoutMs } = this.#options;
    return new Clients({
      peers: () => this.#peers(),
      policy: () => this.#policy.current,
      draining: () => this.#draining,
      limits: this.#limits,
      services: this.#services,
      dialTimeoutMs,
      idleTimeoutMs,
      log,
      record,
    });
  }

  /** Where it listens, in the order of the options. */
  get addresses(): readonly string[] {
    return this.#door.addresses;
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
    await this.#door.open();
    this.#expiry.start(this.#stopped.signal);
    this.#recheck = setInterval(() => this.#clients.recheckIdentities(), recheckMs).unref();
  }

  /** Loads every file again; each that is bad keeps its old content in force. */
  reload(cause: string): void {
    void this.#reloadPolicy(cause);
    try {
      const trust = loadTrust(this.#options);
      this.#door.reload(trust);
      this.#trust = trust;
      this.#expiry.reloaded();
      this.#clients.recheckIdentities();
      this.#reloaded('certificates', cause);
    } catch (error) {
      this.#notReloaded('certificates', cause, error);
    }
  }

  /** Blocklists are read in slices; the old policy serves meanwhile. A later reload replaces one that is not done. */
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
          this.#clients.recheckPolicy();
        },
      });
      this.#watchServices(); // and the blocklists that the new file names, even if they turn out to be unusable
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
    await this.#door.shut();
    this.#log.info({ event: 'draining', streams: this.#limits.streams, timeoutMs: drainTimeoutMs }, 'draining');
    await within(this.#clients.drain(drainTimeoutMs), drainTimeoutMs, signal);
    this.close();
  }

  /** Cuts everything. */
  close(): void {
    this.#stopped.abort();
    this.#policy.close();
    this.#services.close();
    clearInterval(this.#recheck);
    this.#door.close();
    this.#clients.endAll({ code: 'DRAINING', reason: 'the egress has shut down' });
  }

  /** Watches the files of the services, and the blocklists: every policy has its own. */
  #watchServices(): void {
    const files = [...new Set([...this.#services.files, ...this.#policy.blocklists])];
    this.#servicesWatch.abort();
    this.#servicesWatch = new AbortController();
    if (files.length > 0)
      watchFiles(files, () => this.reload('a file changed'), {
        signal: AbortSignal.any([this.#stopped.signal, this.#servicesWatch.signal]),
      });
  }

  #reloaded(what: string, cause: string): void {
    this.#log.info({ event: 'reloaded', what, cause }, `${what} reloaded`);
  }

  #notReloaded(what: string, cause: string, error: unknown): void {
    if (!(error instanceof AditError)) throw error;
    this.#log.error(
      { event: 'reload-failed', what, cause, code: error.code, reason: error.message },
      `${what} not reloaded: the old ones stay in force`,
    );
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

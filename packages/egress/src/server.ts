/**
 * The egress put together: what is trusted, the policy, the services, the clients and the door; reload and drain.
 * Rule: what a reload cannot load stays as it was, and the log says so; what it loads is in force for the next
 * handshake and the next stream, and ends what is open and no longer allowed.
 */
import { dirname } from 'node:path';
import { AditError } from '@adit/shared/errors';
import { ExpiryWatch } from '@adit/shared/identity/expiry';
import type { PeerContext } from '@adit/shared/identity/peer';
import type { Activation } from '@adit/shared/net/activation';
import type { AccessRecord } from '@adit/shared/observe/access-record';
import type { Logger } from '@adit/shared/observe/logger';
import { within } from '@adit/shared/process/signals';
import { watchFiles } from '@adit/shared/process/watch-files';
import { defaultWindowBytes } from '@adit/shared/protocol/mux/window';
import { Services } from './backend/services.ts';
import { Clients } from './clients/clients.ts';
import { WaitingBytes } from './limits/waiting.ts';
import { LookUps } from './dialer/look-ups.ts';
import { systemResolve } from './dialer/resolve.ts';
import { Door } from './door/door.ts';
import { loadEgressFiles, loadTrust, shownCertificates, type Trust, trustFiles } from './files.ts';
import { Limits } from './limits/limits.ts';
import type { EgressOptions } from './options.ts';
import type { PolicyFile } from './policy/reload.ts';
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

const recheckMs = 15_000;

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
    this.#expiry = new ExpiryWatch({
      loaded: () => ({ ...this.#trust, shown: shownCertificates(this.#trust, this.#services) }),
      log,
    });
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
      waiting: new WaitingBytes(this.#options.maxWaitingPerIdentity),
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

  /** In one line, for the service manager. */
  get status(): string {
    return `clients: ${this.#clients.size}, streams: ${this.#limits.streams}`;
  }

  /** Opens the listeners. Rejects with LISTEN_FAILED or ACTIVATION_INVALID. */
  async start(): Promise<void> {
    // In the same turn as the files were loaded: what changes from here on is seen.
    const { signal } = this.#stopped;
    const { policy } = this.#options;
    watchFiles(trustFiles(this.#options), () => this.#reloadTrust('a file changed'), { signal });
    watchFiles([policy], () => void this.#reloadPolicy('a file changed'), { signal });
    this.#services.prepare(this.#policy.current.services, dirname(policy), this.#policy.current.vias)();
    this.#watchServices();
    await this.#door.open();
    this.#expiry.start(this.#stopped.signal);
    this.#recheck = setInterval(() => this.#clients.recheckIdentities(), recheckMs).unref();
  }

  /** Loads every file again; each that is bad keeps its old content in force. Resolves when all are loaded. */
  async reload(cause: string): Promise<void> {
    const policy = this.#reloadPolicy(cause);
    this.#reloadTrust(cause);
    await policy;
  }

  #reloadTrust(cause: string): void {
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
          this.#expiry.check();
          this.#clients.recheckPolicy();
        },
      });
      this.#watchServices(); // and the blocklists that the new file names, even if they turn out to be unusable
      if (!(await reloading) || this.#stopped.signal.aborted) return;
      this.#watchServices();
      this.#reloaded('policy', cause);
      if (this.#policy.stale) void this.#reloadPolicy('a file changed while it was read');
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
      watchFiles(files, () => void this.#reloadPolicy('a file changed'), {
        signal: AbortSignal.any([this.#stopped.signal, this.#servicesWatch.signal]),
      });
  }

  #reloaded(what: string, cause: string): void {
    this.#log.info({ event: 'reloaded', what, cause }, `${what} reloaded`);
  }

  #notReloaded(what: string, cause: string, error: unknown): void {
    if (!(error instanceof AditError)) throw error;
    this.#log.error(
      { event: 'reload-failed', what, cause, code: error.code, reason: error.message, advice: error.advice },
      `${what} not reloaded: the old ones stay in force`,
    );
  }

  #peers(): PeerContext {
    const { anchors, revocation } = this.#trust;
    return { now: new Date(), anchors, ...(revocation && { revocation }) };
  }
}

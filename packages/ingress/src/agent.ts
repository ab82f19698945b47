/**
 * The ingress put together: credentials, the link, listeners with their front ends; reload and drain.
 * Rule: listens before the egress is reached, so that local programs never see a refused port; a reload changes what the next carrier uses.
 */
import { AditError, dialTls, listen, loadCredentials, loadRevocationList, loadTrustAnchors, watchFiles, within, type Carrier, type Credentials, type Forward, type Listener, type Logger, type RevocationList, type TrustAnchors } from '@adit/shared';
import { Connection } from './connection.ts';
import { forward } from './frontend/forward.ts';
import { Link } from './link.ts';
import type { IngressOptions } from './options.ts';

export interface IngressDeps { readonly log: Logger; readonly agent: string }

interface Trust { readonly credentials: Credentials; readonly ca: TrustAnchors; readonly revocation: RevocationList | undefined }

const windowBytes = 262_144;
const replayLimitBytes = 8 * 1024 * 1024;
const handshakeTimeoutMs = 10_000;
const maxWaiting = 4_096;

/** Everything that `--check` checks: the files that the options name. */
export function loadIngressFiles(options: IngressOptions): Trust {
  const ca = loadTrustAnchors(options.ca);
  return { credentials: loadCredentials({ cert: options.cert, key: options.key, role: 'client' }), ca, revocation: options.crl === undefined ? undefined : loadRevocationList(options.crl, ca) };
}

export class IngressAgent {
  readonly addresses: string[] = [];
  readonly #options: IngressOptions;
  readonly #deps: IngressDeps;
  readonly #link: Link;
  readonly #listeners: Listener[] = [];
  readonly #connections = new Set<Connection>();
  readonly #stopped = new AbortController();
  #trust: Trust;
  #emptied: (() => void) | undefined;

  constructor(options: IngressOptions, deps: IngressDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#trust = loadIngressFiles(options);
    this.#link = new Link({
      dial: (signal) => this.#dial(signal), connectTimeoutMs: options.connectTimeoutMs, handshakeTimeoutMs, window: windowBytes, replayLimitBytes, maxWaiting, agent: deps.agent, log: deps.log,
    });
  }

  /** Opens the listeners. Rejects with LISTEN_FAILED. */
  async start(): Promise<void> {
    for (const spec of this.#options.forwards) await this.#listen(spec);
    const { cert, key, ca, crl } = this.#options;
    watchFiles([cert, key, ca, ...(crl === undefined ? [] : [crl])], () => this.reload('a file changed'), { signal: this.#stopped.signal });
  }

  /** Keeps the link up; resolves when stopped, rejects when denied for good. */
  run(): Promise<void> { return this.#link.run(); }

  /** Loads the certificates again, for the next carrier; bad ones keep the old in force. */
  reload(cause: string): void {
    const { log } = this.#deps;
    try {
      this.#trust = loadIngressFiles(this.#options);
      log.info({ event: 'reloaded', what: 'certificates', cause }, 'certificates reloaded');
    } catch (error) {
      if (!(error instanceof AditError)) throw error;
      log.error({ event: 'reload-failed', what: 'certificates', cause, code: error.code, reason: error.message }, 'certificates not reloaded: the old ones stay in force');
    }
  }

  /** Stops accepting, lets connections finish up to the drain timeout, then resets what is left. */
  async drain(signal: AbortSignal): Promise<void> {
    const { drainTimeoutMs } = this.#options;
    this.#deps.log.info({ event: 'draining', streams: this.#connections.size, timeoutMs: drainTimeoutMs }, 'draining');
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    const emptied = new Promise<void>((resolve) => { this.#emptied = resolve; });
    if (this.#connections.size > 0) await within(emptied, drainTimeoutMs, signal);
    this.close();
  }

  close(): void {
    this.#stopped.abort();
    for (const listener of this.#listeners) void listener.close();
    for (const connection of [...this.#connections]) connection.abort('the ingress stops');
    this.#link.stop();
  }

  async #listen({ listen: at, destination, spec }: Forward): Promise<void> {
    const { log } = this.#deps;
    const frontEnd = forward(destination);
    const listener = await listen(at, (socket) => {
      this.#connections.add(new Connection(socket, {
        frontEnd, link: this.#link, idleTimeoutMs: this.#options.idleTimeoutMs, log, ended: (connection) => this.#ended(connection),
      }));
    }, { onTrouble: (reason) => log.warn({ event: 'failed', code: 'OVERLOAD', reason }) });
    this.#listeners.push(listener);
    this.addresses.push(listener.address);
    log.info({ event: 'listening', address: listener.address, forward: spec }, 'listening');
  }

  #ended(connection: Connection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#emptied?.();
  }

  async #dial(signal: AbortSignal): Promise<Carrier> {
    const { egress, serverName } = this.#options;
    const { credentials, ca, revocation } = this.#trust;
    return dialTls({ ...egress, serverName: serverName ?? egress.host, credentials, ca, ...(revocation && { revocation }), deadlineMs: handshakeTimeoutMs, signal });
  }
}

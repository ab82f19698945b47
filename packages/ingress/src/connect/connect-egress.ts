/**
 * A standard CONNECT proxy as an egress: keeps tunnels to it ready, on which streams are opened.
 * Rule: mutual TLS with our CA or nothing, as to an egress of ours. There is no session: what is open when a connection
 * breaks is reset, which the log says once.
 * Not here: when to try again (link/keep-trying.ts).
 */
import type { ProvenConnection } from '@adit/shared/carrier/proven-tls';
import { type ConnectTarget, formatEgress } from '@adit/shared/config/values/egress-address';
import { Deadline } from '@adit/shared/net/deadline';
import type { Logger } from '@adit/shared/observe/logger';
import { formatHostPort } from '@adit/shared/protocol/destination';
import type { StreamOpener } from '@adit/shared/stream/contract';
import type { EgressLink } from '../link/egresses.ts';
import { KeepTrying } from '../link/keep-trying.ts';
import { Http1Tunnels } from './http1.ts';
import { Http2Tunnels } from './http2.ts';
import type { Tunnels } from './tunnels.ts';

export interface ConnectEgressOptions {
  readonly target: ConnectTarget;
  /** Makes a connection whose far end was judged; rejects with AditError. */
  readonly dial: (signal: AbortSignal) => Promise<ProvenConnection>;
  readonly onUsable: (opener: StreamOpener) => void;
  readonly deadlineMs: number;
  readonly log: Logger;
}

export class ConnectEgress implements EgressLink {
  readonly name: string;
  readonly #options: ConnectEgressOptions;
  readonly #trying: KeepTrying;
  /** They open no more streams; open ones go on. */
  readonly #leaving = new Set<Tunnels>();
  #current: Tunnels | undefined;
  #saidNoSession = false;

  constructor(options: ConnectEgressOptions) {
    this.#options = options;
    this.name = formatEgress(options.target);
    this.#trying = new KeepTrying({
      name: this.name,
      what: 'connection',
      log: options.log,
      attempt: (signal) => this.#once(signal),
    });
    this.#trying.trouble = `the proxy ${this.name} has not answered yet`;
  }

  get trouble(): string {
    return this.#current?.doubted ? `the proxy ${this.name} does not answer` : this.#trying.trouble;
  }
  /** What helps, if the last attempt to connect failed. */
  get advice(): string | undefined {
    return this.#trying.advice;
  }
  get session(): StreamOpener | undefined {
    return this.#current?.over === false && !this.#current.doubted ? this.#current : undefined;
  }
  get streams(): number {
    return [this.#current, ...this.#leaving].reduce((sum, one) => sum + (one?.streams ?? 0), 0);
  }

  run(): Promise<void> {
    return this.#trying.run();
  }

  stop(): void {
    this.#trying.stop();
    for (const tunnels of [this.#current, ...this.#leaving]) tunnels?.end();
    this.#leaving.clear();
  }

  /** New streams go to a fresh connection; open ones stay where they are. */
  swap(cause: string): Promise<void> {
    if (this.#options.target.kind === 'connect+h2') this.#current?.leave(`a swap (${cause})`);
    return Promise.resolve();
  }

  doubt(): void {
    this.#current?.doubt();
    this.#trying.doubt();
  }

  /** From dialling to the loss; the next attempt follows at once. */
  async #once(signal: AbortSignal): Promise<number> {
    const tunnels = (this.#current = await this.#make(signal));
    if (this.#trying.signal.aborted) {
      tunnels.end();
      return 0;
    }
    this.#trying.backoff.reset();
    this.#logConnected();
    this.#options.onUsable(tunnels);
    const reason = await tunnels.gone;
    this.#trying.trouble = reason;
    this.#leave(tunnels);
    if (!this.#trying.signal.aborted)
      this.#options.log.warn(
        { event: 'disconnected', egress: this.name, reason, streams: tunnels.streams },
        'the proxy takes no more streams',
      );
    return 0;
  }

  async #make(signal: AbortSignal): Promise<Tunnels> {
    const { dial, deadlineMs, target } = this.#options;
    const connection = await dial(signal);
    if (target.kind === 'connect+h2')
      return Http2Tunnels.open(connection, {
        name: formatHostPort(target.host, target.port),
        deadline: new Deadline(deadlineMs),
        doubted: () => this.#doubted(),
        answers: () => this.#answers(),
      });
    connection.socket.destroy(); // it has proven that the proxy is there and whose it is
    return new Http1Tunnels({ name: this.name, dial });
  }

  #doubted(): void {
    this.#options.log.warn(
      { event: 'silent', egress: this.name },
      'the proxy does not answer: new connections go elsewhere, or wait for it',
    );
  }

  #answers(): void {
    this.#options.log.info({ event: 'answering', egress: this.name }, 'the proxy answers again');
    if (this.session) this.#options.onUsable(this.session);
  }

  #logConnected(): void {
    const { log, target } = this.#options;
    log.info(
      { event: 'connected', egress: this.name, carrier: target.kind, resumed: false, resumable: false },
      this.#saidNoSession
        ? 'connected'
        : 'connected; there is no session: what is open when a connection to this proxy breaks is reset',
    );
    this.#saidNoSession = true;
  }

  #leave(tunnels: Tunnels): void {
    this.#current = undefined;
    for (const gone of this.#leaving) if (gone.streams === 0) this.#leaving.delete(gone);
    if (tunnels.streams > 0) this.#leaving.add(tunnels);
  }
}

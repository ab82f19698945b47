/**
 * A standard CONNECT proxy as an egress: keeps at hand what opens streams on it, and finds it again when it is lost.
 * Rule: as the link to an egress of ours: for ever, with full-jitter backoff, until stopped, and mutual TLS with our CA
 * or nothing. There is no session: what is open when a connection breaks is reset, which the log says once.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ProvenConnection } from '@adit/shared/carrier/proven-tls';
import { type ConnectTarget, formatEgress } from '@adit/shared/config/values/egress-address';
import { codes } from '@adit/shared/codes';
import { AditError, messageOf } from '@adit/shared/errors';
import { newBackoff } from '@adit/shared/net/backoff';
import type { Logger } from '@adit/shared/observe/logger';
import type { StreamOpener } from '@adit/shared/stream/contract';
import type { EgressLink } from '../link/egresses.ts';
import { Http1Tunnels } from './http1.ts';
import { Http2Tunnels } from './http2.ts';
import type { Tunnels } from './tunnels.ts';

export interface ConnectEgressOptions {
  readonly target: ConnectTarget;
  /** A connection whose other end was judged. Rejects with AditError. */
  readonly dial: (signal: AbortSignal) => Promise<ProvenConnection>;
  readonly onUsable: (opener: StreamOpener) => void;
  readonly deadlineMs: number;
  readonly log: Logger;
}

export class ConnectEgress implements EgressLink {
  readonly name: string;
  readonly #options: ConnectEgressOptions;
  readonly #stop = new AbortController();
  readonly #backoff = newBackoff();
  readonly #leaving = new Set<Tunnels>();
  #current: Tunnels | undefined;
  #hurry = new AbortController();
  #trouble: string;
  #told = false;

  constructor(options: ConnectEgressOptions) {
    this.#options = options;
    this.name = formatEgress(options.target);
    this.#trouble = `the proxy ${this.name} has not answered yet`;
  }

  get trouble(): string {
    return this.#trouble;
  }
  get session(): StreamOpener | undefined {
    return this.#current?.over === false ? this.#current : undefined;
  }
  get streams(): number {
    return [this.#current, ...this.#leaving].reduce((sum, one) => sum + (one?.streams ?? 0), 0);
  }

  async run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#hurry = new AbortController();
      const pauseMs = await this.#once(signal);
      if (pauseMs > 0)
        await delay(pauseMs, undefined, { signal: AbortSignal.any([signal, this.#hurry.signal]) }).catch(
          () => undefined,
        );
    }
  }

  stop(): void {
    this.#stop.abort();
    for (const tunnels of [this.#current, ...this.#leaving]) tunnels?.end();
    this.#leaving.clear();
  }

  /** A fresh connection for the streams to come; those that are open stay where they are. */
  swap(cause: string): Promise<void> {
    if (this.#options.target.kind === 'connect+h2') this.#current?.leave(`a swap (${cause})`);
    return Promise.resolve();
  }

  doubt(): void {
    this.#current?.doubt();
    this.#hurry.abort();
  }

  /** From dialling to the loss. Returns how long to wait before the next, ms. */
  async #once(signal: AbortSignal): Promise<number> {
    const { log, target, onUsable } = this.#options;
    try {
      const tunnels = (this.#current = await this.#make(signal));
      if (signal.aborted) {
        tunnels.end();
        return 0;
      }
      this.#backoff.reset();
      log.info(
        { event: 'connected', egress: this.name, carrier: target.kind, resumed: false, resumable: false },
        this.#told
          ? 'connected'
          : 'connected; there is no session: what is open when a connection to this proxy breaks is reset',
      );
      this.#told = true;
      onUsable(tunnels);
      this.#trouble = await tunnels.gone;
      this.#leave(tunnels);
      if (!signal.aborted)
        log.warn(
          { event: 'disconnected', egress: this.name, reason: this.#trouble, streams: tunnels.streams },
          'the proxy takes no more streams',
        );
      return 0;
    } catch (error) {
      return this.#failed(error);
    }
  }

  async #make(signal: AbortSignal): Promise<Tunnels> {
    const { dial, deadlineMs, target } = this.#options;
    const connection = await dial(signal);
    if (target.kind === 'connect+h2')
      return Http2Tunnels.open(connection, {
        name: `${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`,
        deadlineMs,
      });
    connection.socket.destroy(); // it has shown that there is a proxy, and who it is
    return new Http1Tunnels({ name: this.name, dial });
  }

  #failed(error: unknown): number {
    if (!(error instanceof AditError) || codes[error.code].exit === 4) throw error;
    if (this.#stop.signal.aborted) return 0;
    const delayMs = Math.round(this.#backoff.next());
    this.#options.log[error.message === this.#trouble ? 'debug' : 'warn'](
      {
        event: 'retrying',
        egress: this.name,
        code: error.code,
        reason: messageOf(error),
        advice: error.advice,
        delayMs,
      },
      'no connection',
    );
    this.#trouble = error.message;
    return delayMs;
  }

  #leave(tunnels: Tunnels): void {
    this.#current = undefined;
    for (const gone of this.#leaving) if (gone.streams === 0) this.#leaving.delete(gone);
    if (tunnels.streams > 0) this.#leaving.add(tunnels);
  }
}

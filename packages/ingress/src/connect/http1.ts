/**
 * CONNECT of HTTP/1.1 as a client: one TLS connection for each stream (RFC 9110 section 9.3.6).
 * Rule: nothing is sent before the certificate of the proxy is judged. The bytes of a stream follow the 2xx, so that a
 * proxy that refuses never gets them. After a dial that fails no more streams are opened, and `gone` says why.
 */
import { askProven } from '@adit/shared/carrier/proven-connect';
import type { ProvenConnection } from '@adit/shared/carrier/proven-tls';
import { AditError, wireOfCode } from '@adit/shared/errors';
import { tlsPeerEnd } from '@adit/shared/net/peer-end';
import { resetTls } from '@adit/shared/net/reset';
import { ConnectionStream } from '@adit/shared/stream/connection-stream';
import type { RelayStream } from '@adit/shared/stream/contract';
import { PendingStream } from '@adit/shared/stream/pending-stream';
import { answerWithinMs, targetOf, type Target, type Tunnels } from './tunnels.ts';

export interface Http1TunnelsOptions {
  readonly name: string;
  readonly dial: (signal: AbortSignal) => Promise<ProvenConnection>;
}

export class Http1Tunnels implements Tunnels {
  readonly gone: Promise<string>;
  readonly #options: Http1TunnelsOptions;
  readonly #open = new Set<RelayStream>();
  #resolveGone!: (reason: string) => void;
  #over = false;
  #lastId = 0;

  constructor(options: Http1TunnelsOptions) {
    this.#options = options;
    this.gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
  }

  get over(): boolean {
    return this.#over;
  }
  get streams(): number {
    return this.#open.size;
  }

  open(payload: Uint8Array): RelayStream {
    const giveUp = new AbortController();
    const stream: RelayStream = new PendingStream(
      ++this.#lastId,
      this.#connect(targetOf(payload), giveUp.signal, () => this.#open.delete(stream)),
      giveUp,
    );
    this.#open.add(stream);
    return stream;
  }

  leave(reason: string): void {
    this.#over = true;
    this.#resolveGone(reason);
  }

  end(): void {
    this.leave('the ingress stops');
    for (const stream of [...this.#open]) {
      stream.reset({ code: wireOfCode('DRAINING'), reason: 'the ingress stops' });
      stream.events.reset({ code: wireOfCode('DRAINING'), reason: 'the ingress stops' });
    }
  }

  doubt(): void {
    /* there is no connection to probe but those of streams */
  }

  async #connect(target: Target, signal: AbortSignal, closed: () => void): Promise<RelayStream> {
    try {
      const connection = await this.#dial(signal);
      connection.socket.once('close', closed);
      return await this.#ask(connection, target, signal);
    } catch (error) {
      closed();
      throw error;
    }
  }

  async #dial(signal: AbortSignal): Promise<ProvenConnection> {
    try {
      return await this.#options.dial(signal);
    } catch (error) {
      if (error instanceof AditError && !signal.aborted) this.leave(error.message);
      throw error;
    }
  }

  async #ask({ socket, transport }: ProvenConnection, target: Target, signal: AbortSignal): Promise<RelayStream> {
    const peerEnd = tlsPeerEnd(socket, transport);
    await askProven({ socket }, { to: target, name: this.#options.name, deadlineMs: answerWithinMs, signal });
    return new ConnectionStream(socket, {
      id: 0,
      accept: () => {
        /* nothing to accept: this end asked for it */
      },
      refuse: () => resetTls(socket, transport),
      reset: () => resetTls(socket, transport),
      died: () => ({
        code: wireOfCode((transport.errored ?? socket.errored) ? 'CONNECTION_RESET' : 'PEER_GONE'),
        reason: 'the proxy broke the connection',
      }),
      peerEnd,
    });
  }
}

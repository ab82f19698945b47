/**
 * What stands in front of the egress and begins each connection with a PROXY protocol header: only from these
 * addresses, or at listeners of its own, and then always.
 * Rule: nothing is guessed. Who is trusted is known by the address of its TCP connection or by the listener, before a
 * byte is read; what it does not announce properly is dropped, and nobody else is asked for a header, so that one from
 * them is no TLS and fails as such. The header is read within the deadline and the place of its connection's handshake;
 * what follows it is put back for TLS.
 * Not here: reading it (net/proxy-header.ts), the format (protocol/proxy-protocol.ts).
 */
import type net from 'node:net';
import { AditError } from '@adit/shared/errors';
import { readProxyHeader } from '@adit/shared/net/proxy-header';
import type { Logger } from '@adit/shared/observe/logger';
import { type Cidr, cidrContains, parseAddress, unmapped } from '@adit/shared/protocol/address';

export interface ProxyHeadersContext {
  /** `--accept-proxy-protocol`. */ readonly from: readonly Cidr[];
  readonly log: Logger;
}

/** A connection at its handshake: where its TCP comes from, and until when it has time (by performance.now()). */
interface Arriving {
  readonly socket: net.Socket;
  readonly remote: string;
  readonly deadlineAtMs: number;
  /** Its listener expects a header from everybody. */ readonly acceptProxy?: true;
}

/** Between two lines about headers that are missing or wrong. */
const quietMs = 60_000;
/** Timers fire a little early. */
const timerSlackMs = 5;

export class ProxyHeaders {
  readonly #context: ProxyHeadersContext;
  #nextLineAtMs = 0;
  #unsaid = 0;

  constructor(context: ProxyHeadersContext) {
    this.#context = context;
  }

  /**
   * Calls `serve` with the connection's client: at once with its own address, or after the header with the one that it
   * names. Drops what has no header and should.
   */
  accept(arriving: Arriving, serve: (remote: string) => void): void {
    if (arriving.acceptProxy || this.#trusts(arriving.socket)) void this.#read(arriving, serve);
    else serve(arriving.remote);
  }

  #trusts({ remoteAddress }: net.Socket): boolean {
    const { from } = this.#context;
    if (from.length === 0) return false;
    const address = parseAddress(remoteAddress?.split('%', 1)[0] ?? '');
    return address !== undefined && from.some((range) => cidrContains(range, unmapped(address)));
  }

  async #read({ socket, remote, deadlineAtMs, acceptProxy }: Arriving, serve: (remote: string) => void): Promise<void> {
    let client: string | undefined;
    try {
      client = await readProxyHeader(socket, {
        deadlineMs: Math.max(1, deadlineAtMs - performance.now()),
        peer: `the load balancer at ${remote}`,
        codes: { timeout: 'LINK_TIMEOUT', closed: 'LINK_LOST', garbage: 'PROTOCOL_ERROR' },
      });
    } catch (error) {
      socket.destroy();
      if (!(error instanceof AditError)) throw error;
      // At the deadline the connection is cut from elsewhere too: that is no other reason.
      const late = performance.now() > deadlineAtMs - timerSlackMs;
      this.#dropped(
        { remote, from: acceptProxy ? 'a listener with ?accept-proxy' : '--accept-proxy-protocol' },
        late ? new AditError('LINK_TIMEOUT', `the load balancer at ${remote} sent no whole header in time`) : error,
        socket.bytesRead === 0 && !late,
      );
      return;
    }
    serve(client ?? remote);
  }

  /** A connection that says nothing and goes is how load balancers look whether we live: no reason to complain. */
  #dropped(
    { remote, from }: { readonly remote: string; readonly from: string },
    { code, message }: AditError,
    silent: boolean,
  ): void {
    const { log } = this.#context;
    const now = performance.now();
    if (silent || now < this.#nextLineAtMs) {
      if (!silent) this.#unsaid++;
      log.debug({ event: 'handshake', remote, reason: message }, 'no PROXY header');
      return;
    }
    const others = this.#unsaid === 0 ? '' : `, and ${this.#unsaid} like it since the last such line`;
    log.warn(
      {
        event: 'denied',
        remote,
        code,
        reason: `${message}${others}; connections from ${from} have to begin with a PROXY protocol header`,
      },
      'no PROXY header',
    );
    this.#unsaid = 0;
    this.#nextLineAtMs = now + quietMs;
  }
}

/**
 * The PROXY protocol header before each connection of a trusted load balancer: from the addresses that
 * `--accept-proxy-protocol` names, or at a listener that expects one from everybody.
 * Rule: nothing is guessed. Whether a header is expected is known before a byte is read. Where one is expected and
 * missing or wrong, the connection is dropped; where none is expected, none is read, and its bytes fail as TLS. The
 * header is read within the deadline of the connection's handshake; what follows it is put back for TLS.
 * Not here: reading it (net/proxy-header.ts), the format (protocol/proxy-protocol.ts).
 */
import type net from 'node:net';
import { AditError } from '@adit/shared/errors';
import { readProxyHeader } from '@adit/shared/net/proxy-header';
import type { Logger } from '@adit/shared/observe/logger';
import { type Cidr, cidrContains, parseAddress, unmapped } from '@adit/shared/protocol/address';
import type { HostPort } from '@adit/shared/protocol/destination';
import { logDenied } from '../clients/denied.ts';
import type { Arrival } from './arrivals.ts';

export interface ProxyHeadersContext {
  /** `--accept-proxy-protocol`. */ readonly from: readonly Cidr[];
  readonly log: Logger;
}

/** A connection at its handshake. */
type Arriving = Pick<Arrival, 'socket' | 'remote' | 'deadline' | 'cut'>;

/** What a header says: `client` is absent in a health check. */
export interface Announced {
  readonly client?: HostPort;
}

/** Between two lines about headers that are missing or wrong. */
const quietMs = 60_000;

export class ProxyHeaders {
  readonly #context: ProxyHeadersContext;
  #nextLineAtMs = 0;
  #unsaid = 0;

  constructor(context: ProxyHeadersContext) {
    this.#context = context;
  }

  /** Whether connections from this address begin with a header, at every listener. */
  expected({ remoteAddress }: net.Socket): boolean {
    const { from } = this.#context;
    if (from.length === 0) return false;
    const address = parseAddress(remoteAddress?.split('%', 1)[0] ?? '');
    return address !== undefined && from.some((range) => cidrContains(range, unmapped(address)));
  }

  /**
   * Reads the header of a connection that begins with one; `always`: its listener expects that from everybody.
   * Undefined if it has none: the connection is dropped then. Rejects with nothing but bugs.
   */
  async read(arriving: Arriving, { always }: { readonly always: boolean }): Promise<Announced | undefined> {
    const { socket, remote, deadline } = arriving;
    try {
      const client = await readProxyHeader(socket, {
        deadlineMs: deadline.leftMs,
        peer: `the load balancer at ${remote}`,
        codes: { timeout: 'LINK_TIMEOUT', closed: 'LINK_LOST', garbage: 'PROTOCOL_ERROR' },
      });
      return client ? { client } : {};
    } catch (error) {
      socket.destroy();
      if (!(error instanceof AditError)) throw error;
      // At its deadline the arrival cuts the connection too: the reason is still the deadline.
      const late = arriving.cut === 'late' || error.code === 'LINK_TIMEOUT';
      if (arriving.cut === 'crowded') return undefined; // is counted with the others
      this.#dropped(
        { remote, from: always ? 'a listener with ?accept-proxy' : '--accept-proxy-protocol' },
        late ? new AditError('LINK_TIMEOUT', `the load balancer at ${remote} sent no whole header in time`) : error,
        socket.bytesRead === 0 && !late,
      );
      return undefined;
    }
  }

  /** A peer that closed without sending anything is not denied: a load balancer's health check does that. */
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
    const rule = `connections from ${from} have to begin with a PROXY protocol header`;
    logDenied(log, { remote, refusal: { code, reason: `${message}${others}; ${rule}` }, message: 'no PROXY header' });
    this.#unsaid = 0;
    this.#nextLineAtMs = now + quietMs;
  }
}

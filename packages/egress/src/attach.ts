/**
 * From an accepted TLS connection to a session: judge the certificate, read HELLO, ask the policy whether it knows this identity, attach.
 * Rule: nothing is read from a peer that is not authenticated; every refusal is one REFUSE with its reason and one `denied` line in the log;
 * from accept to WELCOME there is one deadline and a bound on how many are at it at once.
 */
import type net from 'node:net';
import type tls from 'node:tls';
import { AditError, codes, factsOf, judgeClient, receiveHello, refuse, tlsCarrier, type Code, type Logger, type PeerContext } from '@adit/shared';
import type { Policy } from './policy/policy.ts';
import type { Sessions } from './sessions.ts';

export interface AttachContext {
  readonly handshakeTimeoutMs: number;
  readonly maxHandshakes: number;
  readonly peers: () => PeerContext;
  readonly policy: () => Policy;
  readonly sessions: Sessions;
  readonly draining: () => boolean;
  readonly log: Logger;
}

interface Accepted { readonly socket: net.Socket; readonly remote: string; readonly deadlineAtMs: number; readonly timer: NodeJS.Timeout }

/** Retry hint for refusals that pass by themselves, ms. */
const retryAfterMs = 1_000;

export class Attachments {
  readonly #context: AttachContext;
  /** By both ends' ports and addresses: what the TLS socket and the TCP socket below it have in common. */
  readonly #accepted = new Map<string, Accepted>();
  #droppedSinceLog = 0;

  constructor(context: AttachContext) { this.#context = context; }

  get handshakes(): number { return this.#accepted.size; }

  /** A TCP connection came in; false if it was dropped because too many are at their handshake. */
  accept(socket: net.Socket): boolean {
    socket.on('error', () => { /* its close is counted below; a scanner's reset is no event */ });
    if (this.#accepted.size >= this.#context.maxHandshakes) {
      this.#drop(socket);
      return false;
    }
    const connection = nameOf(socket);
    const timer = setTimeout(() => socket.destroy(), this.#context.handshakeTimeoutMs);
    this.#accepted.set(connection, { socket, remote: remoteOf(socket), deadlineAtMs: performance.now() + this.#context.handshakeTimeoutMs, timer });
    socket.once('close', () => this.#done(connection));
    return true;
  }

  /** Cuts every connection that has not proven an identity. */
  close(): void { for (const { socket } of [...this.#accepted.values()]) socket.destroy(); }

  /** TLS is up on a connection that `accept` saw; never rejects. */
  async secured(socket: tls.TLSSocket): Promise<void> {
    const connection = nameOf(socket);
    const accepted = this.#accepted.get(connection);
    if (!accepted) {
      socket.destroy();
      return;
    }
    const { remote } = accepted;
    try {
      await this.#attach(socket, accepted);
    } catch (error) {
      if (!(error instanceof AditError)) throw error;
      this.#context.log.warn({ event: 'denied', remote, code: error.code, reason: error.message }, 'no session');
      if (error.code === 'PROTOCOL_ERROR') await refuse(socket, { code: error.code, reason: 'this is not a valid HELLO of adit/1' });
      socket.destroy();
    } finally {
      this.#done(connection);
    }
  }

  async #attach(socket: tls.TLSSocket, { remote, deadlineAtMs }: Accepted): Promise<void> {
    const verdict = judgeClient(factsOf(socket), this.#context.peers());
    if (!verdict.ok) return this.#refuse(socket, remote, verdict);
    const { identity } = verdict;
    if (this.#context.draining()) return this.#refuse(socket, remote, { code: 'DRAINING', reason: 'the egress is shutting down' }, identity.uri);
    if (!this.#context.policy().knows(identity)) return this.#refuse(socket, remote, { code: 'IDENTITY_NOT_IN_POLICY', reason: `no rule names ${identity.uri} or its groups` }, identity.uri);
    const carrier = tlsCarrier(socket, remote);
    const hello = await receiveHello(carrier, Math.max(1, deadlineAtMs - performance.now()));
    const full = this.#context.sessions.attach(carrier, identity, hello);
    if (full) return this.#refuse(socket, remote, full, identity.uri);
    return undefined;
  }

  async #refuse(socket: tls.TLSSocket, remote: string, ...[{ code, reason }, identity]: [{ readonly code: Code; readonly reason: string }, string?]): Promise<void> {
    this.#context.log.warn({ event: 'denied', remote, ...(identity !== undefined && { identity }), code, reason }, 'refused');
    await refuse(socket, { code, reason, retryAfterMs: codes[code].retryable ? retryAfterMs : 0 });
  }

  /** The connection is past its handshake, or gone: it counts no longer. */
  #done(connection: string): void {
    clearTimeout(this.#accepted.get(connection)?.timer);
    this.#accepted.delete(connection);
  }

  #drop(socket: net.Socket): void {
    socket.destroy();
    if (this.#droppedSinceLog++ > 0) return;
    setTimeout(() => {
      this.#context.log.warn({ event: 'denied', code: 'OVERLOAD', reason: `${this.#droppedSinceLog} connections dropped: ${this.#context.maxHandshakes} are at their handshake` }, 'too many handshakes');
      this.#droppedSinceLog = 0;
    }, retryAfterMs).unref();
  }
}

function nameOf({ remoteAddress, remotePort, localAddress, localPort }: net.Socket): string { return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`; }

function remoteOf(socket: net.Socket): string {
  const { remoteAddress = 'unknown', remotePort = 0 } = socket;
  return remoteAddress.includes(':') ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}

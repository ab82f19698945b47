/**
 * The life of one local connection: read who it is where a load balancer says so, ask the front end where to, wait for
 * a session, open a stream, splice.
 * Rule: one owner at a time, and whoever owns the socket ends it; a connection that cannot be carried is told so in the
 * words of its front end, or reset where it has none, never closed as if it were complete; the log says why. Early
 * bytes of the client follow OPEN at once where the front end owes it no answer.
 */
import type net from 'node:net';
import { AditError, type Code, codeOfWire, isCode } from '@adit/shared/errors';
import { BorrowedDuplex } from '@adit/shared/net/borrowed-duplex';
import { descriptorOf } from '@adit/shared/net/descriptor';
import { farewell } from '@adit/shared/net/farewell';
import { readProxyHeader } from '@adit/shared/net/proxy-header';
import { acceptPooled, type RelaySocket, resetSocket } from '@adit/shared/net/sockets';
import type { Logger } from '@adit/shared/observe/logger';
import { formatDestination } from '@adit/shared/protocol/destination';
import { encodeOpen } from '@adit/shared/protocol/open';
import type { StreamOpener } from '@adit/shared/stream/contract';
import { Relay, type RelayOutcome } from '@adit/shared/stream/relay';
import { StreamDuplex } from '@adit/shared/stream/stream-duplex';
import type { Arrival, Ask, FrontEnd, LocalClient } from './frontend/contract.ts';

/** Where sessions come from: the one at hand, or the next. */
export interface SessionSource {
  readonly session: StreamOpener | undefined;
  ready(): Promise<StreamOpener>;
}

export interface ConnectionContext {
  readonly frontEnd: FrontEnd;
  readonly sessions: SessionSource;
  /** Whoever connects begins with a PROXY protocol header. */
  readonly acceptProxy?: true;
  readonly idleTimeoutMs: number;
  readonly log: Logger;
  /** The connection is over. */
  readonly ended: (connection: Connection) => void;
}

/** How long a load balancer may take to say whose connection it is, ms. */
const headerDeadlineMs = 10_000;
/** Early bytes go on in pieces of this size, each a frame. */
const earlyBytes = 16_384;
const nothing = new Uint8Array(0);

export class Connection implements LocalClient {
  readonly #context: ConnectionContext;
  #local: RelaySocket;
  #client: string;
  /** Of what was read, what is not the client's: the PROXY header. */
  #headerBytes = 0;
  #borrowed: BorrowedDuplex | undefined;
  #ask: Ask | undefined;
  #carried: Relay | StreamDuplex | undefined;
  /** The relay or the exchange has the socket. */
  #joined = false;
  /** The front end has it, to make something else of it. */
  #securing: AbortController | undefined;
  #over = false;

  /** Takes over a socket that was accepted paused. */
  constructor(accepted: net.Socket, context: ConnectionContext) {
    this.#context = context;
    this.#client =
      accepted.remoteAddress === undefined ? 'local' : `${accepted.remoteAddress}:${accepted.remotePort ?? 0}`;
    this.#local = acceptPooled(accepted);
    this.#local.socket.on('close', () => this.#closed());
    this.#run().catch((error: unknown) => this.#fail(error));
  }

  get duplex(): BorrowedDuplex {
    return (this.#borrowed ??= new BorrowedDuplex(this.#local));
  }
  get arrival(): Arrival | undefined {
    const { localAddress: address, localPort: port } = this.#local.socket;
    const fd = descriptorOf(this.#local.socket);
    return address === undefined || port === undefined || fd === undefined ? undefined : { address, port, fd };
  }

  abort(reason: string): void {
    if (this.#carried) this.#carried.abort('DRAINING', reason);
    else this.#local.socket.destroy();
  }

  async #run(): Promise<void> {
    const { frontEnd, sessions, acceptProxy } = this.#context;
    if (acceptProxy && !(await this.#announced())) return;
    const asked = frontEnd.ask(this);
    const ask = asked instanceof Promise ? await asked : asked;
    if ('error' in ask) {
      await this.#refuse(ask.error, ask.answer);
      return;
    }
    this.#ask = ask;
    let { session } = sessions;
    if (session === undefined || session.over) this.#listen();
    while (session === undefined || session.over) session = await sessions.ready();
    if (this.#over) return;
    const stream = session.open(
      encodeOpen({
        destination: ask.destination,
        frontEnd: ask.frontEnd,
        client: this.#client,
        ...(ask.alpn !== undefined && { alpn: ask.alpn }),
      }),
    );
    const events = { opened: () => this.#opened(ask), ended: (outcome: RelayOutcome) => this.#ended(ask, outcome) };
    this.#carried = ask.exchange ? new StreamDuplex(stream, events) : new Relay(stream, events);
    for (let at = 0, { early = nothing } = ask; at < early.length; at += earlyBytes)
      stream.sendView(early.subarray(at, at + earlyBytes));
    if (!ask.refused && !ask.exchange) this.#join();
  }

  /**
   * While it waits: a socket that nobody reads does not notice that its client leaves. What the client says meanwhile
   * is kept, within bounds.
   */
  #listen(): void {
    if (this.#local.reads && !this.#borrowed) this.#local.socket.resume();
  }

  /**
   * Learns the client from the PROXY header. False where whoever connected said nothing and went: that is how load
   * balancers look whether we live.
   */
  async #announced(): Promise<boolean> {
    const peer = `the load balancer at ${this.#client}`;
    try {
      this.#client =
        (await readProxyHeader(this.duplex, {
          deadlineMs: headerDeadlineMs,
          peer,
          codes: { timeout: 'CLIENT_TIMEOUT', closed: 'PEER_GONE', garbage: 'CLIENT_MALFORMED' },
        })) ?? this.#client;
      this.#headerBytes = this.#local.socket.bytesRead - this.duplex.readableLength;
      return true;
    } catch (error) {
      if (!(error instanceof AditError)) throw error;
      if (error.code !== 'PEER_GONE' || this.#local.socket.bytesRead > 0)
        throw new AditError(
          error.code,
          `${error.message}; ?accept-proxy of its listener says that every connection begins with a PROXY ` +
            'protocol header',
          { cause: error },
        );
      this.#looked(error);
      return false;
    }
  }

  /** It came and went without a word, as those do that look whether we live. */
  #looked({ code, message }: AditError): void {
    this.#context.log.debug(
      { event: 'connection', client: this.#client, end: 'reset', code, reason: message },
      'nothing was asked for',
    );
    this.#local.socket.destroy();
  }

  #opened(ask: Ask): void {
    if (ask.accepted) this.#local.socket.write(ask.accepted);
    if (ask.secure) void this.#secure(ask.secure);
    else if (!this.#joined) this.#join();
  }

  /**
   * Lets the front end make of the socket what its client speaks, then joins. From here on nothing can be said in the
   * clear.
   */
  async #secure(secure: NonNullable<Ask['secure']>): Promise<void> {
    const over = new AbortController();
    this.#borrowed?.giveBack();
    this.#borrowed = undefined;
    this.#securing = over;
    try {
      const secured = await secure(this.#local, { signal: over.signal });
      this.#securing = undefined;
      this.#local = secured;
      this.#join();
    } catch (error) {
      if (!(error instanceof AditError)) throw error;
      if (this.#over) return;
      this.#context.log.warn(
        {
          event: 'refused',
          client: this.#client,
          destination: formatDestination(this.#ask!.destination),
          code: error.code,
          reason: error.message,
        },
        'connection refused',
      );
      this.#carried!.abort('PEER_GONE', error.message);
    }
  }

  /** Hands the socket over to who carries its bytes. */
  #join(): void {
    const { idleTimeoutMs } = this.#context;
    const carried = this.#carried!;
    this.#joined = true;
    if (carried instanceof Relay) {
      this.#borrowed?.giveBack();
      carried.attach(this.#local, { idleTimeoutMs });
      return;
    }
    if (idleTimeoutMs > 0)
      this.#local.socket.setTimeout(idleTimeoutMs, () =>
        carried.abort('IDLE_TIMEOUT', `no bytes for ${idleTimeoutMs / 1000} s`),
      );
    this.#ask!.exchange!(carried)
      .catch((error: unknown) => {
        resetSocket(this.#local.socket);
        if (!(error instanceof AditError)) throw error;
      })
      .finally(() => carried.destroy());
  }

  #ended(ask: Ask, outcome: RelayOutcome): void {
    const code = isCode(outcome.code) ? outcome.code : codeOfWire(outcome.code);
    this.#securing?.abort();
    if (!this.#securing && (!this.#joined || outcome.end === 'refused')) {
      void this.#refuse({ code, message: outcome.reason }, ask.refused?.({ code, reason: outcome.reason }));
      return;
    }
    this.#context.log.debug(
      {
        event: 'connection',
        client: this.#client,
        destination: formatDestination(ask.destination),
        end: outcome.end,
        code,
        reason: outcome.reason,
        bytesUp: outcome.bytesSent,
        bytesDown: outcome.bytesReceived,
      },
      'connection ended',
    );
    if (this.#carried instanceof Relay) this.#end();
  }

  /** There is no connection: says so to the client and to the log. */
  async #refuse(
    { code, message }: { readonly code: Code; readonly message: string },
    answer: Uint8Array | undefined,
  ): Promise<void> {
    if (this.#over) return;
    const destination = this.#ask && formatDestination(this.#ask.destination);
    this.#context.log.warn(
      {
        event: 'refused',
        client: this.#client,
        ...(destination !== undefined && { destination }),
        code,
        reason: message,
      },
      'connection refused',
    );
    if (answer) await farewell(this.duplex, answer);
    else resetSocket(this.#local.socket);
    this.#end();
  }

  #closed(): void {
    if (this.#carried && !this.#joined && !this.#securing) this.#carried.abort('PEER_GONE', 'the client left');
    if (!(this.#carried instanceof Relay)) this.#end();
  }

  #fail(error: unknown): void {
    if (!(error instanceof AditError)) {
      resetSocket(this.#local.socket);
      this.#end();
      throw error;
    }
    if (error.code === 'PEER_GONE' && this.#local.socket.bytesRead === this.#headerBytes) this.#looked(error);
    else void this.#refuse(error, this.#ask?.refused?.({ code: error.code, reason: error.message }));
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#context.ended(this);
  }
}

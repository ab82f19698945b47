/**
 * The life of one local connection: ask the front end where to, wait for a session, open a stream, splice.
 * Rule: one owner at a time, and whoever owns the socket ends it; a connection that cannot be carried is reset, never closed as if it were complete,
 * and the log says why. Early bytes of the client follow OPEN at once where the front end owes it no answer.
 */
import type net from 'node:net';
import { acceptPooled, AditError, codeOfWire, encodeOpen, formatDestination, isCode, Relay, resetSocket, type Logger, type MuxSession, type RelayOutcome, type RelaySocket } from '@adit/shared';
import type { Ask, FrontEnd } from './frontend/contract.ts';

/** Where sessions come from: the one at hand, or the next. */
export interface SessionSource {
  readonly session: MuxSession | undefined;
  ready(): Promise<MuxSession>;
}

export interface ConnectionContext {
  readonly frontEnd: FrontEnd;
  readonly sessions: SessionSource;
  readonly idleTimeoutMs: number;
  readonly log: Logger;
  /** The connection is over. */
  readonly ended: (connection: Connection) => void;
}

export class Connection {
  readonly #context: ConnectionContext;
  readonly #local: RelaySocket;
  readonly #client: string;
  #relay: Relay | undefined;
  #over = false;

  /** Takes over a socket that was accepted paused. */
  constructor(accepted: net.Socket, context: ConnectionContext) {
    this.#context = context;
    this.#client = accepted.remoteAddress === undefined ? 'local' : `${accepted.remoteAddress}:${accepted.remotePort ?? 0}`;
    this.#local = acceptPooled(accepted);
    this.#local.socket.on('close', () => { if (!this.#relay) this.#end(); });
    this.#run().catch((error: unknown) => this.#fail(error));
  }

  abort(reason: string): void {
    if (this.#relay) this.#relay.abort('DRAINING', reason);
    else this.#local.socket.destroy();
  }

  async #run(): Promise<void> {
    const { frontEnd, sessions } = this.#context;
    const asked = frontEnd.ask(this.#local.socket);
    const ask = asked instanceof Promise ? await asked : asked;
    let { session } = sessions;
    while (session === undefined || session.over) session = await sessions.ready();
    if (this.#over) return;
    const stream = session.open(encodeOpen({ destination: ask.destination, frontEnd: frontEnd.kind, client: this.#client }));
    this.#relay = new Relay(stream, { opened: () => this.#opened(ask), ended: (outcome) => this.#ended(ask, outcome) });
    if (!ask.accepted) this.#relay.attach(this.#local, { idleTimeoutMs: this.#context.idleTimeoutMs });
  }

  #opened(ask: Ask): void {
    if (!ask.accepted) return;
    this.#local.socket.write(ask.accepted);
    this.#relay!.attach(this.#local, { idleTimeoutMs: this.#context.idleTimeoutMs });
  }

  #ended(ask: Ask, outcome: RelayOutcome): void {
    const code = isCode(outcome.code) ? outcome.code : codeOfWire(outcome.code);
    if (outcome.end === 'refused') {
      if (ask.refused) this.#local.socket.end(ask.refused(code));
      else resetSocket(this.#local.socket);
      this.#context.log.warn({ event: 'refused', client: this.#client, destination: formatDestination(ask.destination), code, reason: outcome.reason }, 'connection refused');
    } else {
      this.#context.log.debug({ event: 'connection', client: this.#client, destination: formatDestination(ask.destination), end: outcome.end, code, reason: outcome.reason, bytesUp: outcome.bytesSent, bytesDown: outcome.bytesReceived }, 'connection ended');
    }
    this.#end();
  }

  #fail(error: unknown): void {
    resetSocket(this.#local.socket);
    this.#end();
    if (!(error instanceof AditError)) throw error;
    this.#context.log.warn({ event: 'refused', client: this.#client, code: error.code, reason: error.message }, 'connection reset');
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#context.ended(this);
  }
}

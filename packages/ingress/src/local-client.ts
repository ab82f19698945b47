/**
 * The client of one local connection: its socket, the loan of the socket to a front end, the address in a PROXY header,
 * and how it is told that there is no connection.
 * Rule: the socket has one owner at a time. Until it is taken, it is watched here, and the keeper is told when it
 * closes. A client that is refused hears so in the words of its front end, or is reset. It is never closed as if it
 * were complete.
 * Not here: what happens when (connection.ts).
 */
import type net from 'node:net';
import { AditError, type AdvisedRefusal, type Code } from '@adit/shared/errors';
import { BorrowedDuplex } from '@adit/shared/net/borrowed-duplex';
import { descriptorOf } from '@adit/shared/net/descriptor';
import { farewell } from '@adit/shared/net/farewell';
import { peerAddress } from '@adit/shared/net/peer-address';
import { readProxyHeader } from '@adit/shared/net/proxy-header';
import { acceptPooled, type RelaySocket, resetSocket } from '@adit/shared/net/sockets';
import type { Logger } from '@adit/shared/observe/logger';
import { type ClientAddress, formatClient } from '@adit/shared/protocol/client-address';
import { formatDestination } from '@adit/shared/protocol/destination';
import type { Arrival, Ask, Client } from './frontend/contract.ts';

/** What is under way for a client, and ends when the client leaves or the ingress drains. */
export interface Keeper {
  abort(code: Code, reason: string): void;
}

/** How long a load balancer may take to send the PROXY header, ms. */
const headerDeadlineMs = 10_000;

export class LocalClient implements Client {
  readonly #log: Logger;
  readonly #local: RelaySocket;
  readonly #left = (): void => this.abort('PEER_GONE', 'the client left');
  #address: ClientAddress;
  /** Bytes read that are not the client's: the PROXY header. */
  #headerBytes = 0;
  #loan: BorrowedDuplex | undefined;
  #keeper: Keeper | undefined;
  #ask: Ask | undefined;

  /** Takes over a socket that was accepted paused. */
  constructor(accepted: net.Socket, log: Logger) {
    this.#log = log;
    this.#address = peerAddress(accepted) ?? 'local';
    this.#local = acceptPooled(accepted);
    this.#local.socket.on('close', this.#left);
  }

  /** Who it is; `local` on a Unix socket. */
  get address(): ClientAddress {
    return this.#address;
  }
  /** The same for the log: `127.0.0.1:51234`, `[::1]:51234`. */
  get name(): string {
    return formatClient(this.#address);
  }
  get duplex(): BorrowedDuplex {
    return (this.#loan ??= new BorrowedDuplex(this.#local));
  }
  get arrival(): Arrival | undefined {
    const { localAddress: address, localPort: port } = this.#local.socket;
    const fd = descriptorOf(this.#local.socket);
    return address === undefined || port === undefined || fd === undefined ? undefined : { address, port, fd };
  }

  /** What is under way for it from now on. */
  keptBy(keeper: Keeper): void {
    this.#keeper = keeper;
  }

  /** Ends what is under way for it. */
  abort(code: Code, reason: string): void {
    this.#keeper?.abort(code, reason);
  }

  /** Settles as `pending` does, but rejects with PEER_GONE or DRAINING as soon as the client leaves or is aborted. */
  unlessCut<T>(pending: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.keptBy({ abort: (code, reason) => reject(new AditError(code, reason)) });
      pending.then(resolve, reject);
    });
  }

  /**
   * The same while nobody reads from the client. A socket that is not read does not notice that its client leaves, so
   * it is read; the bytes are kept, within bounds.
   */
  waits<T>(pending: Promise<T>): Promise<T> {
    if (this.#local.reads && !this.#loan) this.#local.socket.resume();
    return this.unlessCut(pending);
  }

  /** Reads the PROXY header, which names the client. Rejects with CLIENT_TIMEOUT, PEER_GONE or CLIENT_MALFORMED. */
  async readHeader(): Promise<void> {
    const { socket } = this.#local;
    const named = await readProxyHeader(this.duplex, {
      deadlineMs: headerDeadlineMs,
      peer: `the load balancer at ${this.name}`,
      codes: { timeout: 'CLIENT_TIMEOUT', closed: 'PEER_GONE', garbage: 'CLIENT_MALFORMED' },
    }).catch((error: unknown) => {
      throw error instanceof AditError && !this.#isSilent(error.code) ? headerMissing(error) : error;
    });
    this.#address = named ?? this.#address;
    this.#headerBytes = socket.bytesRead - this.duplex.readableLength;
  }

  /** Its front end knows where it wants to go. */
  asks(ask: Ask): void {
    this.#ask = ask;
  }

  /** Sends it words of its front end. */
  say(words: Uint8Array | undefined): void {
    if (words) this.#local.socket.write(words);
  }

  /** Hands the socket over for good. The new owner sees by itself when it closes. */
  take(): RelaySocket {
    this.#local.socket.off('close', this.#left);
    this.#loan?.giveBack();
    this.#loan = undefined;
    return this.#local;
  }

  /**
   * Leaves the duplex to an exchange, which sees by itself when it closes. `idle` is called when no byte has moved for
   * that long.
   */
  lend({ idleTimeoutMs, idle }: { readonly idleTimeoutMs: number; readonly idle: () => void }): void {
    this.#local.socket.off('close', this.#left);
    if (idleTimeoutMs > 0) this.#local.socket.setTimeout(idleTimeoutMs, idle);
  }

  reset(): void {
    resetSocket(this.#local.socket);
  }

  /**
   * Refuses a connection for which no stream was opened. A client that left is not worth a warning, nor is a health
   * check, which connects and asks for nothing.
   */
  async fail({ code, message, ownAdvice: advice }: AditError): Promise<void> {
    const silent = this.#isSilent(code);
    const { socket } = this.#local;
    if (!silent && !(code === 'PEER_GONE' && socket.destroyed))
      return await this.refuse({ code, reason: message, advice });
    this.#log.debug(
      { event: 'connection', ...this.#told(), end: 'reset', code, reason: message },
      silent ? 'nothing was asked for' : 'the client left',
    );
    if (code === 'PEER_GONE') socket.destroy();
    else this.reset();
  }

  /**
   * There is no connection: tells the log, and the client in these words or those of its front end; without words it is
   * reset. Resolves when the client is gone.
   */
  async refuse(refusal: AdvisedRefusal, words = this.#ask?.refused?.(refusal)): Promise<void> {
    this.logRefusal(refusal);
    if (words) await farewell(this.duplex, words);
    else this.reset();
  }

  logRefusal({ code, reason, advice }: AdvisedRefusal): void {
    this.#log.warn(
      { event: 'refused', ...this.#told(), code, reason, ...(advice !== undefined && { advice }) },
      'connection refused',
    );
  }

  /** Has it left, or does it have to go, without having sent a byte? */
  #isSilent(code: Code): boolean {
    return (
      (code === 'PEER_GONE' || code === 'DRAINING') &&
      this.#ask === undefined &&
      this.#local.socket.bytesRead === this.#headerBytes
    );
  }

  #told(): { readonly client: string; readonly destination?: string } {
    return {
      client: this.name,
      ...(this.#ask && { destination: formatDestination(this.#ask.destination) }),
    };
  }
}

function headerMissing(error: AditError): AditError {
  const reason = '?accept-proxy of its listener says that every connection begins with a PROXY protocol header';
  return new AditError(error.code, `${error.message}; ${reason}`, { cause: error });
}

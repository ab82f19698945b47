/**
 * Happy eyeballs (RFC 8305 section 5): attempts start one after the other, and the first to connect wins.
 * Rule: only the addresses given are dialled, each at most once; every socket has an `error` listener from birth to
 * close; when the race is over, all sockets but the winner are destroyed and no timer is left.
 * Not here: resolving, judging addresses, the deadline (dial.ts).
 */
import type { Socket } from 'node:net';
import type { Attempt } from './failure.ts';

/** How long an attempt may go on alone before the next one starts beside it (RFC 8305 section 8). */
export const staggerMs = 250;

export interface RaceOptions {
  /** Makes a socket that is connecting to exactly this address. */
  readonly connect: (address: string, port: number) => Socket;
  readonly port: number;
  readonly won: (socket: Socket, address: string) => void;
  /** Every attempt failed; in the order of failure. */
  readonly lost: (attempts: readonly Attempt[]) => void;
}

/** Keeps an `error` from becoming an uncaught exception, also after the race, until the owner of the winner listens. */
function guard(): void {
  /* the race and the owner have listeners of their own */
}

export class Race {
  readonly #addresses: readonly string[];
  readonly #options: RaceOptions;
  readonly #running = new Map<
    Socket,
    { readonly connected: () => void; readonly failed: (error: unknown) => void; readonly closed: () => void }
  >();
  readonly #attempts: Attempt[] = [];
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  /** Nothing is dialled before `start`. */
  constructor(addresses: readonly string[], options: RaceOptions) {
    this.#addresses = addresses;
    this.#options = options;
  }

  /** Dials the first address before it returns. */
  start(): void {
    this.#dialNext();
  }

  /** Ends the race without a winner; neither `won` nor `lost` is called after that. */
  stop(): void {
    this.#end();
  }

  #dialNext(): void {
    clearTimeout(this.#timer);
    while (!this.#over && this.#next < this.#addresses.length) {
      const address = this.#addresses[this.#next++]!;
      if (this.#dial(address)) break;
    }
    if (this.#over) return;
    if (this.#next < this.#addresses.length) this.#timer = setTimeout(() => this.#dialNext(), staggerMs);
    else if (this.#running.size === 0) this.#lose();
  }

  /** Starts one attempt. Returns false when no socket could be made. */
  #dial(address: string): boolean {
    let socket: Socket;
    try {
      socket = this.#options.connect(address, this.#options.port);
    } catch (error) {
      this.#attempts.push({ address, error });
      return false;
    }
    socket.on('error', guard);
    const listeners = {
      connected: () => this.#win(socket, address),
      failed: (error: unknown) => this.#fail(socket, { address, error }),
      closed: () => this.#fail(socket, { address, error: new Error('closed before it was connected') }),
    };
    this.#running.set(socket, listeners);
    socket.once('connect', listeners.connected).once('error', listeners.failed).once('close', listeners.closed);
    return true;
  }

  #fail(socket: Socket, attempt: Attempt): void {
    this.#leave(socket);
    socket.destroy();
    if (this.#over) return;
    this.#attempts.push(attempt);
    this.#dialNext();
  }

  #win(socket: Socket, address: string): void {
    this.#leave(socket);
    this.#end();
    this.#options.won(socket, address);
  }

  #lose(): void {
    this.#end();
    this.#options.lost(this.#attempts);
  }

  #leave(socket: Socket): void {
    const listeners = this.#running.get(socket);
    if (listeners === undefined) return;
    socket.off('connect', listeners.connected).off('error', listeners.failed).off('close', listeners.closed);
    this.#running.delete(socket);
  }

  #end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    for (const socket of this.#running.keys()) {
      this.#leave(socket);
      socket.destroy();
    }
  }
}

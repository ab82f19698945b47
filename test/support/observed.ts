/**
 * A service whose side of each connection is handed to the test.
 * Rule: connections are handed over in the order in which they come; a reset is not an error until it is looked at.
 */
import type { Socket } from 'node:net';
import { within } from './scope.ts';
import { type Received, type Service, receive, service } from './services.ts';

export interface Accepted {
  readonly socket: Socket;
  readonly received: Promise<Received>;
  /** Resolves with its first bytes. */
  readonly first: Promise<unknown>;
}

export interface Observed extends Service {
  /** The next connection that was not handed over yet, past or future. */
  next(): Promise<Accepted>;
}

/** `serve` is what the service does by itself. */
export async function observed(serve: (socket: Socket) => void = () => {}): Promise<Observed> {
  const accepted: Accepted[] = [];
  const waiting: ((value: Accepted) => void)[] = [];
  const made = await service((socket) => {
    const received = receive(socket);
    received.catch(() => {});
    const first = new Promise((resolve) => {
      socket.once('data', resolve);
    });
    serve(socket);
    const side = { socket, received, first };
    const taker = waiting.shift();
    if (taker === undefined) accepted.push(side);
    else taker(side);
  });
  const next = (): Promise<Accepted> =>
    new Promise((resolve) => {
      const side = accepted.shift();
      if (side === undefined) waiting.push(resolve);
      else resolve(side);
    });
  return { ...made, next: () => within(30_000, 'a connection at the service', next()) };
}

/**
 * How a local connection states its destination. Types only.
 * Rule: a front end only gathers a destination; it never opens a stream, and what the client sent behind its request stays with the socket.
 */
import type net from 'node:net';
import type { Destination, FrontEndKind, Code } from '@adit/shared';

export interface Ask {
  readonly destination: Destination;
  /** What the local client is told once the egress has dialled; absent where it is told nothing. */
  readonly accepted?: Uint8Array;
  /** What it is told instead when the egress refuses, before the reset. */
  readonly refused?: (code: Code) => Uint8Array;
}

export interface FrontEnd {
  readonly kind: FrontEndKind;
  /** Gathers the destination; rejects with AditError where the client does not make sense. */
  ask(socket: net.Socket): Ask | Promise<Ask>;
}

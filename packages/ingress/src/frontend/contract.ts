/**
 * How a local connection states its destination. Types only.
 * Rule: a front end only gathers a destination; it never opens a stream, and what the client sent behind its request
 * stays with the duplex. It says yes to its client only in words that it hands over here, after the egress has.
 */
import type { Duplex } from 'node:stream';
import type { AditError, Code } from '@adit/shared/errors';
import type { RelaySocket } from '@adit/shared/net/sockets';
import type { Destination } from '@adit/shared/protocol/destination';
import type { FrontEndKind } from '@adit/shared/protocol/open';

/** The local connection while its front end talks with it. */
export interface LocalClient {
  /** Made when it is first asked for; what was read and is not the front end's is put back by `unshift`. */
  readonly duplex: Duplex;
  /** Absent for what came over no TCP connection, and for one that is gone. */
  readonly arrival?: Arrival | undefined;
}

/** Where a TCP connection arrived, as the kernel has it. */
export interface Arrival {
  readonly address: string;
  readonly port: number;
  /** Of the accepted socket; for asking the kernel, never for bytes. */
  readonly fd: number;
}

export interface Ask {
  readonly frontEnd: FrontEndKind;
  readonly destination: Destination;
  /** What the client agreed to speak inside TLS that ends here, by its name for ALPN. */
  readonly alpn?: string;
  /** What the local client is told once the egress has dialled; absent where it is told nothing. */
  readonly accepted?: Uint8Array;
  /** What it is told instead when there is no connection; absent: a reset, and its bytes follow OPEN at once. */
  readonly refused?: (refusal: { readonly code: Code; readonly reason: string }) => Uint8Array;
  /** What was read of it and is the service's: follows OPEN at once, before the answer of the egress. */
  readonly early?: Uint8Array;
  /**
   * What the client's socket becomes before the splice, once the egress has dialled. Rejects with AditError, and the
   * socket is gone.
   */
  readonly secure?: (local: RelaySocket, options: SecureOptions) => Promise<RelaySocket>;
  /**
   * In place of the splice: speaks with the service, and with the client over its duplex. Resolves when the client has
   * had its answer and its connection is closed; rejects where it has to be reset.
   */
  readonly exchange?: (service: Duplex) => Promise<void>;
}

/** `signal`: the stream is over, and nobody waits any more. */
export interface SecureOptions {
  readonly signal: AbortSignal;
}

/** A client that cannot be served, and what it is told. */
export interface TurnedAway {
  readonly error: AditError;
  readonly answer: Uint8Array;
}

export interface FrontEnd {
  /** Gathers the destination; rejects with AditError where the client does not make sense and cannot be told so. */
  ask(client: LocalClient): Ask | Promise<Ask | TurnedAway>;
}

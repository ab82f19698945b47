/**
 * How a local connection states its destination. Types only.
 * Rule: a front end only gathers a destination; it never opens a stream, and what the client sends after its request
 * stays in the duplex. The front end hands over the words that accept its client, and they are sent only after the
 * egress has dialled.
 */
import type { Duplex } from 'node:stream';
import type { AdvisedRefusal, AditError } from '@adit/shared/errors';
import type { RelaySocket } from '@adit/shared/net/sockets';
import type { Destination } from '@adit/shared/protocol/destination';
import type { FrontEndKind } from '@adit/shared/protocol/open';

/** The local connection while its front end talks with it. */
export interface Client {
  /** Made on first use. A front end that reads too much puts the rest back with `unshift`. */
  readonly duplex: Duplex;
  /** Absent for a connection that is not TCP, and for one that is gone. */
  readonly arrival?: Arrival | undefined;
}

/** Where a TCP connection arrived, according to the kernel. */
export interface Arrival {
  readonly address: string;
  readonly port: number;
  /** Of the accepted socket; for asking the kernel, never for bytes. */
  readonly fd: number;
}

interface Asked {
  readonly frontEnd: FrontEndKind;
  readonly destination: Destination;
}

/** The client waits for an answer, in the words of its front end. */
interface Answered {
  /** Sent once the egress has dialled; absent if the bytes of the service are the answer. */
  readonly accepted?: Uint8Array;
  /** Sent instead if there is no connection. */
  readonly refused: (refusal: AdvisedRefusal) => Uint8Array;
}

/** The client gets no answer: its bytes follow OPEN at once, and a refusal is a reset. */
interface Unanswered {
  readonly accepted?: never;
  readonly refused?: never;
}

/** Joins the client's socket and the stream. */
export type SpliceAsk = Asked & {
  readonly carry: 'splice';
  /** Bytes of the client that belong to the service: they follow OPEN at once, before the egress answers. */
  readonly early?: Uint8Array;
} & (Answered | Unanswered);

/** Turns the client's socket into one that decrypts, and joins that and the stream. */
export type SecureAsk = Asked & {
  readonly carry: 'secure';
  /** The protocol that the client agreed to speak inside TLS, by its ALPN name. */
  readonly alpn?: string;
  /** Called once the egress has dialled. If it rejects with AditError, the socket is gone. */
  readonly secure: (local: RelaySocket, options: SecureOptions) => Promise<RelaySocket>;
} & Pick<Answered, 'refused'> & { readonly accepted?: never };

/** Lets the front end talk to both sides: to the client over its duplex, and to the service. */
export type ExchangeAsk = Asked & {
  readonly carry: 'exchange';
  /**
   * Called once the egress has dialled. Resolves when the client has its answer and its connection is closed; rejects
   * with AditError if the connection has to be reset.
   */
  readonly exchange: (service: Duplex) => Promise<void>;
} & Answered;

/** A destination, and how the bytes get there. */
export type Ask = SpliceAsk | SecureAsk | ExchangeAsk;

/** `signal`: the stream is over, and nobody waits any more. */
export interface SecureOptions {
  readonly signal: AbortSignal;
}

/** A client that cannot be served, and the words that tell it so. */
export interface TurnedAway {
  readonly error: AditError;
  readonly answer: Uint8Array;
}

export interface FrontEnd {
  /** Gathers the destination. Rejects with AditError if the client sends nonsense and cannot be told so. */
  ask(client: Client): Ask | Promise<Ask | TurnedAway>;
}

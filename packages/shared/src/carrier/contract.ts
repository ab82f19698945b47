/**
 * What a carrier is to a session: an authenticated duplex of bytes that may die.
 * Rule: the identity of both ends is proven before a carrier is made; the duplex has an `error` listener from birth and
 * allows half-open.
 */
import type { Duplex } from 'node:stream';

/**
 * `websocket`: inside the mutual TLS that carries it; `websocket+tls`: mutual TLS inside it, through an intermediary
 * that ends the outer one.
 */
export type CarrierKind = 'tls' | 'websocket' | 'websocket+tls';

export interface Carrier {
  readonly kind: CarrierKind;
  readonly duplex: Duplex;
  /** The other end, for the logs: "203.0.113.7:8443". */
  readonly remote: string;
  /** The proxy that it goes through, for the logs: "http://proxy.example.org:3128". */
  readonly via?: string;
  /** Where something on the way ends the outer TLS: who issued the certificate of it. */
  readonly intermediary?: string;
  /** Keying material that only the two ends of this carrier know (RFC 8446 section 7.5). */
  exportKey(label: string, context: Buffer): Buffer;
}

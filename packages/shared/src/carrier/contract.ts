/**
 * What a session needs of a carrier: an authenticated duplex of bytes that may die.
 * Rule: the identity of both ends is proven before a carrier is made. The duplex has an `error` listener from birth and
 * allows half-open.
 */
import type { Duplex } from 'node:stream';
import type { TcpControl } from '../net/tcp-control.ts';

/**
 * `websocket`: a WebSocket inside mutual TLS. `websocket+tls`: mutual TLS inside a WebSocket, through an intermediary
 * that ends the outer TLS.
 */
export type CarrierKind = 'tls' | 'websocket' | 'websocket+tls';

export interface Carrier {
  readonly kind: CarrierKind;
  readonly duplex: Duplex;
  /** The other end, for the logs: "203.0.113.7:8443". */
  readonly remote: string;
  /** The address that was connected to, where that is the egress itself: for another carrier beside this one. */
  readonly address?: string;
  /** The proxy that it goes through, for the logs: "http://proxy.example.org:3128". */
  readonly via?: string;
  /** If an intermediary ends the outer TLS: the issuer of its certificate. */
  readonly intermediary?: string;
  /** The TCP connection below it all; absent where the kernel takes no orders from us. */
  readonly tcp?: TcpControl;
  /** Keying material that only the two ends of this carrier know (RFC 8446 section 7.5). */
  exportKey(label: string, context: Buffer): Buffer;
}

/** A TLS socket whose handshake a test made itself, as the carrier that a session takes. */
import type { TLSSocket } from 'node:tls';
import type { Carrier } from '@adit/shared/carrier/contract';
import { carrierOf } from '@adit/shared/carrier/tls';

export function tlsCarrier(socket: TLSSocket, remote: string): Carrier {
  return carrierOf({ kind: 'tls', duplex: socket, proof: socket, remote });
}

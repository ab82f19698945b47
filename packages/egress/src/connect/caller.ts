/**
 * Who asks by CONNECT: a connection of the port becomes a client if the certificate of its TLS handshake is admitted.
 * Rule: only a TLS connection to the egress itself proves an identity; there is no handshake inside a CONNECT.
 * Not here: resumption. What breaks is reset.
 */
import { randomBytes } from 'node:crypto';
import type { PeerIdentity } from '@adit/shared/identity/peer';
import type { Admission, NotAdmitted } from '../clients/admit.ts';
import type { Client, Way } from '../clients/client.ts';
import type { Clients } from '../clients/clients.ts';
import type { Origin } from '../door/arrivals.ts';

const keepAliveMs = 60_000;

export function admitCaller({ proof }: Origin, clients: Clients): Admission {
  return clients.admit(
    proof ?? { missing: 'CONNECT needs a TLS connection to the egress itself, with a client certificate' },
  );
}

/** A caller that was admitted becomes a client. */
export function joinCaller(
  { arrival }: Origin,
  { identity, way }: { readonly identity: PeerIdentity; readonly way: Way },
  clients: Clients,
): Client {
  const { remote, socket } = arrival;
  arrival.settled();
  arrival.controlled();
  socket.setKeepAlive(true, keepAliveMs); // there is no ping here: TCP finds a peer that vanished
  return clients.join({ name: randomBytes(6).toString('hex'), identity, remote, way });
}

/** The `denied` line of a caller that was not admitted. */
export function callerDenied({ arrival: { remote } }: Origin, denied: NotAdmitted, clients: Clients): void {
  clients.denied({ remote, ...denied });
}

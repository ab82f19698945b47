/**
 * From a finished handshake to a session: admit the peer, read HELLO, attach.
 * Rule: nothing is read from a peer that is not admitted; every refusal is one REFUSE with its reason and one `denied`
 * line in the log; the deadline of the connection's arrival holds until it is attached.
 * Spec: docs/protocol.md section 3.3.
 */
import type { Duplex } from 'node:stream';
import type tls from 'node:tls';
import type { CarrierKind } from '@adit/shared/carrier/contract';
import { carrierOf } from '@adit/shared/carrier/tls';
import { codes } from '@adit/shared/codes';
import { AditError, type Refusal } from '@adit/shared/errors';
import type { PeerIdentity } from '@adit/shared/identity/peer';
import { receiveHello, refuse } from '@adit/shared/session/accept';
import type { Clients } from '../clients/clients.ts';
import type { Arrival } from '../door/arrivals.ts';
import type { Sessions } from './sessions.ts';

/** A carrier to be: its frames go over `duplex`; the handshake of `proof` proved its ends, where we made one. */
export interface Offer {
  readonly kind: CarrierKind;
  readonly duplex: Duplex;
  readonly proof?: tls.TLSSocket;
}

export interface AttachContext {
  readonly clients: Clients;
  readonly sessions: Sessions;
}

/** Retry hint for refusals that pass by themselves, ms. */
const retryAfterMs = 1_000;
const unproven = {
  missing: 'where TLS was ended before the egress, the handshake has to be made again inside the WebSocket',
};

/** Attaches a session, or refuses it; never rejects. */
export async function attach(arrival: Arrival, offer: Offer, context: AttachContext): Promise<void> {
  const { duplex, proof = unproven } = offer;
  const admitted = context.clients.admit(proof);
  if (!admitted.refusal) arrival.proved(admitted.identity.uri);
  const denied = (refusal: Refusal): void =>
    context.clients.denied({ remote: arrival.remote, identity: admitted.identity, refusal });
  try {
    const refusal = admitted.refusal ?? (await greet(arrival, { ...offer, identity: admitted.identity }, context));
    if (!refusal) return;
    denied(refusal);
    const { code, reason } = refusal;
    await refuse(duplex, { code, reason, retryAfterMs: codes[code].retryable ? retryAfterMs : 0 });
  } catch (error) {
    if (!(error instanceof AditError)) throw error;
    if (arrival.cut === 'crowded') return; // is counted with the others
    // the arrival cuts the connection at the same moment: the reason is still the deadline
    if (arrival.cut === 'late') denied({ code: 'LINK_TIMEOUT', reason: 'the handshake was not done in time' });
    else denied({ code: error.code, reason: error.message });
    if (error.code === 'PROTOCOL_ERROR')
      await refuse(duplex, { code: error.code, reason: 'this is not a valid HELLO of adit/1' });
    duplex.destroy();
  } finally {
    arrival.settled();
  }
}

/** Reads HELLO and attaches; the refusal where there is one. Rejects where no HELLO comes. */
async function greet(
  arrival: Arrival,
  { kind, duplex, proof, identity }: Offer & { readonly identity: PeerIdentity },
  { clients, sessions }: AttachContext,
): Promise<Refusal | undefined> {
  const { remote, deadline } = arrival;
  const carrier = carrierOf({ kind, duplex, proof: proof!, remote, tcp: arrival.controlled() });
  const hello = await receiveHello(carrier, deadline.leftMs);
  return clients.admitAgain(identity) ?? sessions.attach(carrier, identity, hello);
}

/**
 * Who may come in: the one verdict on a peer, whichever way it came. First its certificate, then whether the egress
 * drains, then whether the policy names it.
 * Rule: these questions are asked here and nowhere else. A revocation list that is out of date keeps new clients out
 * and leaves those that are in alone.
 * Not here: what an identity may reach (each stream asks the policy), and how many clients it may have (limits/).
 */
import type tls from 'node:tls';
import type { Refusal } from '@adit/shared/errors';
import { factsOf, judgeAgain, judgeClient, type PeerContext, type PeerIdentity } from '@adit/shared/identity/peer';
import type { Policy } from '../policy/policy.ts';

export interface AdmitContext {
  /** What certificates are judged by now. */
  readonly peers: () => PeerContext;
  /** The policy in force now. */
  readonly policy: () => Policy;
  readonly draining: () => boolean;
}

/** Why a peer may not come in, and who it is as far as its certificate proves it. */
export interface NotAdmitted {
  readonly refusal: Refusal;
  readonly identity?: PeerIdentity;
}
export type Admission = { readonly identity: PeerIdentity; readonly refusal?: undefined } | NotAdmitted;

/** What a peer shows: the TLS socket whose handshake proves its identity, or why there is none. */
export type Proof = tls.TLSSocket | { readonly missing: string };

/**
 * The verdict on a new peer. Refuses with CLIENT_CERT_*, REVOCATION_STALE, DRAINING or IDENTITY_NOT_IN_POLICY. Logs
 * nothing: whoever sends the refusal logs it.
 */
export function admit(proof: Proof, context: AdmitContext): Admission {
  if ('missing' in proof) return { refusal: { code: 'CLIENT_CERT_MISSING', reason: proof.missing } };
  const verdict = judgeClient(factsOf(proof), context.peers());
  if (!verdict.ok) return { refusal: { code: verdict.code, reason: verdict.reason } };
  const { identity } = verdict;
  const refusal = drainingRefusal(context) ?? policyRefusal(identity, context.policy());
  return refusal ? { refusal, identity } : { identity };
}

/** The same questions about an identity that was admitted a moment ago: the files may have changed since. */
export function admitAgain(identity: PeerIdentity, context: AdmitContext): Refusal | undefined {
  return (
    certificateRefusal(identity, context.peers()) ??
    drainingRefusal(context) ??
    policyRefusal(identity, context.policy())
  );
}

/** May a client that is in stay, by its certificate? Refuses with CERT_EXPIRED or REVOKED. */
export function certificateRefusal(identity: PeerIdentity, peers: PeerContext): Refusal | undefined {
  const refusal = judgeAgain(identity, peers);
  return refusal?.code === 'REVOCATION_STALE' ? undefined : refusal;
}

/** May a client be in at all, by the policy? Refuses with IDENTITY_NOT_IN_POLICY. */
export function policyRefusal(identity: PeerIdentity, policy: Policy): Refusal | undefined {
  return policy.knows(identity)
    ? undefined
    : { code: 'IDENTITY_NOT_IN_POLICY', reason: `no rule names ${identity.uri} or its groups` };
}

function drainingRefusal({ draining }: AdmitContext): Refusal | undefined {
  return draining() ? { code: 'DRAINING', reason: 'the egress is shutting down' } : undefined;
}

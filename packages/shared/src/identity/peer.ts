/**
 * Who the peer is: our verdict on the certificate of a finished TLS handshake, with its reason.
 * Rule: accepts only if OpenSSL accepts (`authorized === true`), the handshake was a full one (a resumed one skips
 * every check), and the leaf is present, has the right extended key usage, is in date, is not revoked, and names
 * exactly one identity. If several things are wrong, the reason is the most fundamental: no certificate, then unknown
 * CA, then the rest.
 * Not here: the handshake, and what the identity may do (policy).
 */
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type AdvisedRefusal, type Code, messageOf, type Refusal } from '../errors.ts';
import { type CertificateFields, extendedKeyUsagesOf, readCertificate, uriNamesOf, usages } from './certificate.ts';
import type { RevocationList } from './revocation.ts';
import { readClientNames } from './spiffe.ts';
import type { TrustAnchors } from './trust.ts';

/** What a finished handshake says about the peer; `factsOf` collects it. */
export interface PeerFacts {
  readonly authorized: boolean;
  /** OpenSSL's name of the failure, such as CERT_HAS_EXPIRED. */
  readonly authorizationError: string | undefined;
  readonly sessionReused: boolean;
  readonly leaf: X509Certificate | undefined;
}

/**
 * `anchors` only improve the reason: OpenSSL reports the last of several failures; with anchors, an unknown CA comes
 * first.
 */
export interface PeerContext {
  readonly revocation?: RevocationList;
  readonly anchors?: TrustAnchors;
  readonly now: Date;
}

/** A proven name. `serial` is upper-case hex without leading zero bytes; `groups` are the bare names. */
export interface PeerIdentity {
  readonly name: string;
  readonly uri: string;
  readonly trustDomain: string;
  readonly groups: readonly string[];
  readonly serial: string;
  readonly notAfter: Date;
  readonly fingerprint256: string;
  readonly leaf: X509Certificate;
}

/** `reason` is one clause, safe to send and to log. `stranger`: the certificate is of a CA that we do not know. */
type NotProven = AdvisedRefusal & { readonly ok: false; readonly stranger?: true };
export type PeerVerdict = { readonly ok: true; readonly identity: PeerIdentity } | NotProven;
export type EgressVerdict = { readonly ok: true; readonly leaf: X509Certificate } | NotProven;

/** The leaves of sockets that were asked before: Node 24 returns the certificate of a connection only once. */
const leaves = new WeakMap<TLSSocket, X509Certificate>();

/** The facts of a TLS socket after `secureConnection` or `secureConnect`. */
export function factsOf(socket: TLSSocket): PeerFacts {
  const leaf = leaves.get(socket) ?? socket.getPeerX509Certificate();
  if (leaf) leaves.set(socket, leaf);
  const error: unknown = socket.authorizationError;
  return {
    authorized: socket.authorized,
    authorizationError:
      error === null || error === undefined
        ? undefined
        : typeof error === 'string'
          ? error
          : ((error as NodeJS.ErrnoException).code ?? messageOf(error)),
    sessionReused: socket.isSessionReused(),
    leaf,
  };
}

/** The egress's verdict on an ingress. Refuses with one of CLIENT_CERT_* or REVOCATION_STALE. */
export function judgeClient(facts: PeerFacts, context: PeerContext): PeerVerdict {
  const { leaf } = facts;
  // After a resumption, some versions of Node return no certificate and others that of the first handshake: neither
  // proves anything now.
  if (facts.sessionReused)
    return refused('CLIENT_CERT_INVALID', 'it resumed an earlier TLS session, which proves no certificate');
  if (leaf === undefined || leaf.raw.length === 0) return refused('CLIENT_CERT_MISSING', 'it presented no certificate');
  if (facts.authorized !== true || facts.authorizationError !== undefined)
    return unverified(leaf, facts.authorizationError, context);
  const fields = fieldsOf(leaf);
  if (typeof fields === 'string') return refused('CLIENT_CERT_INVALID', fields);
  if (extendedKeyUsagesOf(fields.extensions)?.includes(usages.clientAuth) !== true)
    return refused(
      'CLIENT_CERT_WRONG_USAGE',
      'the certificate is not for clients (extended key usage lacks clientAuth)',
    );
  return (
    datesRefusal(leaf, context.now) ?? revocationRefusal(leaf, context, 'CLIENT_CERT_REVOKED') ?? identify(leaf, fields)
  );
}

/**
 * The ingress's verdict on an egress, for the host name or IP address it dialled. Refuses with EGRESS_CERT_INVALID or
 * REVOCATION_STALE.
 */
export function judgeEgress(facts: PeerFacts, context: PeerContext & { readonly serverName: string }): EgressVerdict {
  const { leaf } = facts;
  if (facts.sessionReused)
    return refused('EGRESS_CERT_INVALID', 'it resumed an earlier TLS session, which proves no certificate');
  if (leaf === undefined || leaf.raw.length === 0) return refused('EGRESS_CERT_INVALID', 'it presented no certificate');
  const fields = fieldsOf(leaf);
  if (typeof fields === 'string') return refused('EGRESS_CERT_INVALID', fields);
  const { serverName } = context;
  const named =
    (isIP(serverName) > 0 ? leaf.checkIP(serverName) : leaf.checkHost(serverName, { subject: 'never' })) !== undefined;
  const wrongName = facts.authorizationError === 'ERR_TLS_CERT_ALTNAME_INVALID' || !named;
  if (!facts.authorized && facts.authorizationError !== 'ERR_TLS_CERT_ALTNAME_INVALID')
    return egressRefusal(unverified(leaf, facts.authorizationError, context));
  if (wrongName)
    return {
      ...refused(
        'EGRESS_CERT_INVALID',
        `the certificate is not for "${serverName}" but for ${oneLine(leaf.subjectAltName) ?? 'no host at all'}`,
      ),
      advice:
        'Dial the egress by a name that its certificate covers, give such a name with --server-name, or issue the ' +
        `certificate again with --host ${serverName}.`,
    };
  if (extendedKeyUsagesOf(fields.extensions)?.includes(usages.serverAuth) !== true)
    return refused('EGRESS_CERT_INVALID', 'the certificate is not for servers (extended key usage lacks serverAuth)');
  const dates = datesRefusal(leaf, context.now);
  if (dates !== undefined) return egressRefusal(dates);
  return revocationRefusal(leaf, context, 'EGRESS_CERT_INVALID') ?? { ok: true, leaf };
}

/** A refusal of a client's certificate as one of the certificate of an egress. */
function egressRefusal(refusal: NotProven): NotProven {
  return { ...refusal, code: 'EGRESS_CERT_INVALID', advice: egressAdvice[refusal.code] };
}

const egressAdvice: Readonly<Partial<Record<Code, string>>> = {
  CLIENT_CERT_UNKNOWN_CA: 'Give the CA that issued the certificate of the egress with --ca.',
  CLIENT_CERT_EXPIRED:
    'The egress has to renew its certificate (adit ca issue egress NAME --renew); if it looks valid, compare the ' +
    'clocks.',
  CLIENT_CERT_NOT_YET_VALID: 'The certificate of the egress starts in the future: compare the clocks.',
  CLIENT_CERT_WRONG_USAGE:
    'The egress shows a certificate that is not for servers: issue one with "adit ca issue egress NAME".',
};

/**
 * May a session of this identity go on? Called after a reload and as time passes. Refuses with CERT_EXPIRED, REVOKED or
 * REVOCATION_STALE.
 */
export function judgeAgain(identity: PeerIdentity, context: PeerContext): Refusal | undefined {
  if (context.anchors !== undefined && !leadsTo(identity.leaf, context.anchors))
    return refused('REVOKED', 'the CA that issued the certificate is no longer trusted here');
  if (identity.notAfter < context.now)
    return refused('CERT_EXPIRED', `the certificate expired on ${identity.notAfter.toISOString()}`);
  return revocationRefusal(identity.leaf, context, 'REVOKED');
}

/** The same name in the same trust domain; the certificate may have been renewed and the groups changed. */
export function sameIdentity(a: PeerIdentity, b: PeerIdentity): boolean {
  return a.uri === b.uri;
}

function fieldsOf(leaf: X509Certificate): CertificateFields | string {
  try {
    const fields = readCertificate(leaf.raw);
    uriNamesOf(fields.extensions);
    extendedKeyUsagesOf(fields.extensions);
    return fields;
  } catch (error) {
    return `the certificate is malformed: ${messageOf(error)}`;
  }
}

function identify(leaf: X509Certificate, { extensions, serial }: CertificateFields): PeerVerdict {
  const names = readClientNames(uriNamesOf(extensions));
  if (typeof names === 'string')
    return refused('CLIENT_CERT_NO_IDENTITY', `the certificate names no identity: ${names}`);
  return {
    ok: true,
    identity: { ...names, serial, notAfter: leaf.validToDate, fingerprint256: leaf.fingerprint256, leaf },
  };
}

/**
 * Turns OpenSSL's refusal into ours. Measured on Node 24 and 26: `authorizationError` names the last failure found;
 * OpenSSL reports an expiry rather than an unknown CA.
 */
function unverified(leaf: X509Certificate, error: string | undefined, context: PeerContext): NotProven {
  const unknownCa: NotProven = {
    ...refused(
      'CLIENT_CERT_UNKNOWN_CA',
      `the certificate was issued by a CA that is not trusted here (${oneLine(leaf.issuer) ?? 'no issuer'})`,
    ),
    stranger: true,
  };
  if (context.anchors !== undefined && !leadsTo(leaf, context.anchors)) return unknownCa;
  switch (error) {
    case 'CERT_HAS_EXPIRED':
      return (
        datesRefusal(leaf, context.now) ?? refused('CLIENT_CERT_EXPIRED', 'a certificate of its chain has expired')
      );
    case 'CERT_NOT_YET_VALID':
      return (
        datesRefusal(leaf, context.now) ??
        refused('CLIENT_CERT_NOT_YET_VALID', 'a certificate of its chain is not valid yet')
      );
    case 'INVALID_PURPOSE':
      return refused('CLIENT_CERT_WRONG_USAGE', 'the certificate is not for this use');
    case 'CERT_REVOKED':
      return refused('CLIENT_CERT_REVOKED', 'the certificate was revoked');
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'CERT_UNTRUSTED':
    case 'CERT_SIGNATURE_FAILURE':
      return unknownCa; // Also a CA with the name of ours and another key.
    default:
      return refused('CLIENT_CERT_INVALID', `the certificate does not verify (${error ?? 'no reason given'})`);
  }
}

/**
 * Does a chain of signatures lead from the leaf, over the certificates that the peer sent, to an anchor? Eight steps at
 * most.
 */
function leadsTo(leaf: X509Certificate, { certificates }: TrustAnchors): boolean {
  let current: X509Certificate | undefined = leaf;
  for (let depth = 0; depth < 8 && current !== undefined; depth++) {
    const child: X509Certificate = current;
    if (certificates.some((anchor) => isIssuedBy(child, anchor) || anchor.raw.equals(child.raw))) return true;
    const next: X509Certificate | undefined = child.issuerCertificate;
    current = next !== undefined && isIssuedBy(child, next) ? next : undefined;
  }
  return false;
}

function isIssuedBy(child: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return child.checkIssued(issuer) && child.verify(issuer.publicKey);
  } catch {
    return false; // OpenSSL does not know this kind of key or signature.
  }
}

function datesRefusal(leaf: X509Certificate, now: Date): NotProven | undefined {
  if (leaf.validToDate < now)
    return refused('CLIENT_CERT_EXPIRED', `the certificate expired on ${leaf.validToDate.toISOString()}`);
  if (leaf.validFromDate > now)
    return refused(
      'CLIENT_CERT_NOT_YET_VALID',
      `the certificate is not valid before ${leaf.validFromDate.toISOString()}`,
    );
  return undefined;
}

function revocationRefusal(leaf: X509Certificate, { revocation, now }: PeerContext, code: Code): NotProven | undefined {
  if (revocation === undefined) return undefined;
  const entry = revocation.isRevoked(leaf);
  if (entry !== undefined)
    return refused(code, `the certificate was revoked on ${entry.at.toISOString()} (${entry.reason})`);
  if (!revocation.covers(leaf))
    return refused('REVOCATION_STALE', 'there is no revocation list of the CA that issued it');
  if (revocation.isStale(now))
    return refused(
      'REVOCATION_STALE',
      `the revocation list is out of date since ${revocation.nextUpdate.toISOString()}`,
    );
  return undefined;
}

function refused(code: Code, reason: string): NotProven {
  return { ok: false, code, reason };
}

function oneLine(text: string | undefined): string | undefined {
  return text?.replace(/[^\x20-\x7e]+/g, ', ').slice(0, 300);
}

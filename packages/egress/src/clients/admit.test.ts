import type { TLSSocket } from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import type { PeerContext } from '@adit/shared/identity/peer';
import { parseRevocationList } from '@adit/shared/identity/revocation';
import { parseTrustAnchors } from '@adit/shared/identity/trust';
import { certificates } from '../../../../test/support/certificates.ts';
import { day, integer, newCa, newCrl } from '../../../../test/support/issuer.ts';
import { allowLoopback } from '../../../../test/support/in-process.ts';
import { atEnd } from '../../../../test/support/scope.ts';
import { tlsPairs } from '../../../../test/support/tls-pair.ts';
import { Policy } from '../policy/policy.ts';
import { admit, admitAgain, type AdmitContext, certificateRefusal, policyRefusal } from './admit.ts';

const certs = certificates();
const anchors = parseTrustAnchors(certs.authority.certPem, 'ca.crt');
const { client, server } = await (await tlsPairs(certs))();
atEnd(() => {
  for (const { duplex } of [client, server]) duplex.destroy();
});
/** Proves alice by its handshake. */
const proof = server.duplex as TLSSocket;
const alice = admit(proof, context({})).identity!;

function context({
  policy = allowLoopback,
  draining = false,
  ...peers
}: Partial<PeerContext> & { readonly policy?: string; readonly draining?: boolean }): AdmitContext {
  const parsed = Policy.parse(policy, 'policy.yaml');
  return { peers: () => ({ now: new Date(), anchors, ...peers }), policy: () => parsed, draining: () => draining };
}

const onlyBob = allowLoopback.replace('"*"', 'bob');
const list = (
  options: Parameters<typeof newCrl>[1],
): { readonly revocation: ReturnType<typeof parseRevocationList> } => ({
  revocation: parseRevocationList(newCrl(certs.authority, options), anchors),
});
const revoked = list({ serials: [integer(alice.serial)] });
const stale = list({ thisUpdate: new Date(Date.now() - 2 * day), nextUpdate: new Date(Date.now() - day) });

test('a good certificate that a rule names is admitted, with its identity', () => {
  expect(admit(proof, context({}))).toEqual({
    identity: expect.objectContaining({ uri: 'spiffe://example.org/client/alice' }),
  });
});

test('without a handshake there is no identity, and the refusal says what was missing', () => {
  expect(admit({ missing: 'no TLS of ours' }, context({}))).toEqual({
    refusal: { code: 'CLIENT_CERT_MISSING', reason: 'no TLS of ours' },
  });
});

test.each([
  ['CLIENT_CERT_REVOKED', 'the certificate', { ...revoked, draining: true, policy: onlyBob }, false],
  ['DRAINING', 'then the drain', { draining: true, policy: onlyBob }, true],
  ['IDENTITY_NOT_IN_POLICY', 'then the policy', { policy: onlyBob }, true],
])('%s: %s is asked first, and who it is is known once the certificate held', (code, _what, given, known) => {
  const { refusal, identity } = admit(proof, context(given));
  expect([refusal?.code, identity?.uri]).toEqual([code, known ? alice.uri : undefined]);
});

describe('once admitted', () => {
  test.each([
    ['REVOKED', revoked],
    ['REVOKED', { anchors: parseTrustAnchors(newCa('Another').certPem, 'ca.crt') }],
    ['CERT_EXPIRED', { now: new Date(Date.now() + 2 * day) }],
    ['DRAINING', { draining: true }],
    ['IDENTITY_NOT_IN_POLICY', { policy: onlyBob }],
    [undefined, {}],
  ])('an identity is judged again as %s', (code, given) => {
    expect(admitAgain(alice, context(given))?.code).toBe(code);
  });

  test('a revocation list that is out of date keeps new clients out, and leaves those that are in', () => {
    const given = context(stale);
    expect(admit(proof, given).refusal).toMatchObject({ code: 'REVOCATION_STALE' });
    expect(certificateRefusal(alice, given.peers())).toBeUndefined();
  });

  test('the policy names an identity, or the refusal names it', () => {
    expect(policyRefusal(alice, context({}).policy())).toBeUndefined();
    expect(policyRefusal(alice, context({ policy: onlyBob }).policy())).toEqual({
      code: 'IDENTITY_NOT_IN_POLICY',
      reason: 'no rule names spiffe://example.org/client/alice or its groups',
    });
  });
});

import { X509Certificate, constants } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type ConnectionOptions, type TLSSocket, type TlsOptions, connect, createServer } from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import {
  type Issued,
  type LeafOptions,
  certificate,
  day,
  extension,
  integer,
  newCa,
  newClient,
  newCrl,
  newServer,
  seq,
  usage,
} from '../../../../test/support/issuer.ts';
import {
  type EgressVerdict,
  type PeerFacts,
  type PeerVerdict,
  factsOf,
  judgeAgain,
  judgeClient,
  judgeEgress,
  sameIdentity,
} from './peer.ts';
import { parseRevocationList } from './revocation.ts';
import { parseTrustAnchors } from './trust.ts';

const ca = newCa();
const stranger = newCa('Stranger CA');
const edge = newServer(ca);
const anchors = parseTrustAnchors(ca.certPem, 'ca.crt');
const past = { from: new Date(Date.now() - 2 * day), to: new Date(Date.now() - day) };
const future = { from: new Date(Date.now() + day), to: new Date(Date.now() + 2 * day) };

/** The facts that both sides of one real TLS 1.3 handshake see. */
async function handshake({
  server = edge,
  client,
  tls = {},
  options = {},
}: {
  server?: Issued;
  client?: Issued | undefined;
  tls?: TlsOptions;
  options?: ConnectionOptions;
}): Promise<{ atEgress: PeerFacts; atIngress: PeerFacts }> {
  const listener = createServer({
    cert: server.certPem,
    key: server.keyPem,
    ca: ca.certPem,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
    ...tls,
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const socket = connect({
    host: '127.0.0.1',
    port: (listener.address() as AddressInfo).port,
    servername: 'localhost',
    ca: ca.certPem,
    rejectUnauthorized: false,
    ...(client === undefined ? {} : { cert: client.certPem, key: client.keyPem }),
    ...options,
  });
  try {
    const [[accepted]] = await Promise.all([
      once(listener, 'secureConnection') as Promise<[TLSSocket]>,
      once(socket, 'secureConnect'),
    ]);
    const facts = { atEgress: factsOf(accepted), atIngress: factsOf(socket) };
    accepted.destroy();
    return facts;
  } finally {
    socket.destroy();
    listener.close();
  }
}
async function verdictOn(
  client: Issued | undefined,
  context: Partial<Parameters<typeof judgeClient>[1]> = {},
): Promise<PeerVerdict> {
  return judgeClient((await handshake({ client })).atEgress, { now: new Date(), ...context });
}
async function codeFor(client: Issued | undefined, context = {}): Promise<string> {
  const verdict = await verdictOn(client, context);
  return verdict.ok ? 'ok' : verdict.code;
}

describe('a client certificate', () => {
  test('that is in order gives the identity', async () => {
    const alice = newClient(ca, {
      uris: ['spiffe://example.org/client/alice', 'spiffe://example.org/group/developers'],
    });
    const verdict = await verdictOn(alice, { anchors });
    const leaf = new X509Certificate(alice.der);
    expect(verdict).toEqual({
      ok: true,
      identity: {
        name: 'alice',
        uri: 'spiffe://example.org/client/alice',
        trustDomain: 'example.org',
        groups: ['developers'],
        serial: leaf.serialNumber,
        notAfter: leaf.validToDate,
        fingerprint256: leaf.fingerprint256,
        leaf: expect.any(X509Certificate),
      },
    });
  });
  const cases: readonly (readonly [string, Issued | undefined, string])[] = [
    ['that is missing', undefined, 'CLIENT_CERT_MISSING'],
    ['of an unknown CA', newClient(stranger), 'CLIENT_CERT_UNKNOWN_CA'],
    [
      'of an unknown CA whose certificate comes with it',
      withChain(newClient(stranger), stranger),
      'CLIENT_CERT_UNKNOWN_CA',
    ],
    ['of a CA that only has the name of ours', newClient(newCa()), 'CLIENT_CERT_UNKNOWN_CA'],
    [
      'that signed itself',
      certificate({ uris: ['spiffe://example.org/client/alice'], uses: [usage.client] }),
      'CLIENT_CERT_UNKNOWN_CA',
    ],
    ['that has expired', newClient(ca, past), 'CLIENT_CERT_EXPIRED'],
    ['that is not valid yet', newClient(ca, future), 'CLIENT_CERT_NOT_YET_VALID'],
    ['that is for servers', newClient(ca, { uses: [usage.server] }), 'CLIENT_CERT_WRONG_USAGE'],
    ['that states no usage', newClient(ca, { uses: [] }), 'CLIENT_CERT_WRONG_USAGE'],
    ['that names nobody', newClient(ca, { uris: [] }), 'CLIENT_CERT_NO_IDENTITY'],
    [
      'that names two clients',
      newClient(ca, { uris: ['spiffe://example.org/client/alice', 'spiffe://example.org/client/bob'] }),
      'CLIENT_CERT_NO_IDENTITY',
    ],
    [
      'with a NUL in its name',
      newClient(ca, { uris: ['spiffe://example.org/client/alice\0x'] }),
      'CLIENT_CERT_NO_IDENTITY',
    ],
    [
      'whose other URI prints as a name',
      newClient(ca, { uris: ['http://x/, URI:spiffe://example.org/client/root'] }),
      'CLIENT_CERT_NO_IDENTITY',
    ],
    [
      'with an unknown critical extension',
      newClient(ca, { extensions: [extension('1.2.3', seq(), true)] }),
      'CLIENT_CERT_INVALID',
    ],
  ];
  test.each(cases)('%s is refused as such, with and without the anchors', async (_, client, code) => {
    expect(await codeFor(client)).toBe(code);
    expect(await codeFor(client, { anchors })).toBe(code);
  });
  const twice: readonly (readonly [string, LeafOptions])[] = [
    ['has expired', past],
    ['is not valid yet', future],
    ['is for servers', { uses: [usage.server] }],
  ];
  test.each(twice)('that %s and is of an unknown CA is refused for its CA', async (_, options) => {
    expect(await codeFor(newClient(stranger, options), { anchors })).toBe('CLIENT_CERT_UNKNOWN_CA');
    expect(await codeFor(withChain(newClient(stranger, options), stranger), { anchors })).toBe(
      'CLIENT_CERT_UNKNOWN_CA',
    );
  });
  test('of an intermediate CA leads to the anchor over the chain that comes with it', async () => {
    const middle = certificate({ subject: 'Middle CA', ca: {} }, ca);
    expect(await codeFor(withChain(newClient(middle), middle), { anchors })).toBe('ok');
    expect(await codeFor(withChain(newClient(middle, past), middle), { anchors })).toBe('CLIENT_CERT_EXPIRED');
    expect(await codeFor(newClient(middle), { anchors })).toBe('CLIENT_CERT_UNKNOWN_CA');
  });
  test('refused tells when', async () => {
    expect(await verdictOn(newClient(ca, past))).toMatchObject({
      reason: expect.stringContaining(`the certificate expired on ${past.to.toISOString().slice(0, 16)}`),
    });
  });
});

describe('a revocation list', () => {
  const alice = newClient(ca);
  const list = (options: Parameters<typeof newCrl>[1]) =>
    parseRevocationList(newCrl(ca, options), parseTrustAnchors(ca.certPem + stranger.certPem, 'ca.crt'));
  test('refuses what it revokes and lets the rest in', async () => {
    const revocation = list({ serials: [integer(new X509Certificate(alice.der).serialNumber)] });
    expect(await verdictOn(alice, { revocation })).toMatchObject({
      ok: false,
      code: 'CLIENT_CERT_REVOKED',
      reason: expect.stringContaining('(key compromise)'),
    });
    expect(await codeFor(newClient(ca), { revocation })).toBe('ok');
  });
  test('that is out of date refuses everybody, and the revoked as revoked', async () => {
    const stale = { thisUpdate: new Date(Date.now() - 2 * day), nextUpdate: new Date(Date.now() - day) };
    expect(await codeFor(alice, { revocation: list(stale) })).toBe('REVOCATION_STALE');
    expect(
      await codeFor(alice, {
        revocation: list({ ...stale, serials: [integer(new X509Certificate(alice.der).serialNumber)] }),
      }),
    ).toBe('CLIENT_CERT_REVOKED');
  });
  test('of another CA lets nobody in', () => {
    const facts = {
      authorized: true,
      authorizationError: undefined,
      sessionReused: false,
      leaf: new X509Certificate(newClient(stranger).der),
    };
    expect(judgeClient(facts, { revocation: list({}), now: new Date() })).toMatchObject({
      ok: false,
      code: 'REVOCATION_STALE',
    });
  });
});

describe('an egress certificate', () => {
  async function verdict(
    server: Issued,
    serverName = 'localhost',
    context = {},
    options: ConnectionOptions = {},
  ): Promise<EgressVerdict> {
    return judgeEgress((await handshake({ server, client: newClient(ca), options })).atIngress, {
      now: new Date(),
      serverName,
      ...context,
    });
  }
  test('that is in order is accepted, for a name and for an address', async () => {
    expect(await verdict(edge)).toMatchObject({ ok: true });
    expect(await verdict(edge, '127.0.0.1')).toMatchObject({ ok: true });
  });
  test.each([
    ['of an unknown CA', newServer(stranger), 'issued by a CA that is not trusted here (CN=Stranger CA)'],
    ['that has expired', newServer(ca, past), 'expired on'],
    ['that is not valid yet', newServer(ca, future), 'not valid before'],
    ['of another host', newServer(ca, { dns: ['other.example'] }), 'is not for "localhost" but for DNS:other.example'],
    [
      'without host names',
      newServer(ca, { dns: [], subject: 'localhost' }),
      'is not for "localhost" but for no host at all',
    ],
    ['that states no usage', newServer(ca, { uses: [] }), 'lacks serverAuth'],
    ['of a client', newServer(ca, { uses: [usage.client] }), 'not for this use'],
  ])('%s is refused with the reason', async (_, server, why) => {
    expect(await verdict(server)).toMatchObject({
      ok: false,
      code: 'EGRESS_CERT_INVALID',
      reason: expect.stringContaining(why),
    });
  });
  test.each([
    ['of an unknown CA', newServer(stranger), /with --ca\.$/],
    ['that has expired', newServer(ca, past), /adit ca issue egress NAME --renew/],
    ['that is not valid yet', newServer(ca, future), /compare the clocks\.$/],
    ['of another host', newServer(ca, { dns: ['other.example'] }), /--server-name, .* --host localhost\.$/],
    ['of a client', newServer(ca, { uses: [usage.client] }), /issue one with "adit ca issue egress NAME"/],
  ])('%s is refused with what helps against that', async (_, server, advice) => {
    expect(await verdict(server)).toMatchObject({ advice: expect.stringMatching(advice) });
  });
  test('of another host is refused even if the caller checked another name during the handshake', async () => {
    expect(await verdict(edge, 'other.example', {}, { servername: 'localhost' })).toMatchObject({
      ok: false,
      reason: expect.stringContaining('"other.example"'),
    });
  });
  test('that is revoked is refused', async () => {
    const revocation = parseRevocationList(
      newCrl(ca, { serials: [integer(new X509Certificate(edge.der).serialNumber)] }),
      anchors,
    );
    expect(await verdict(edge, 'localhost', { revocation })).toMatchObject({
      ok: false,
      code: 'EGRESS_CERT_INVALID',
      reason: expect.stringContaining('revoked on'),
    });
  });
});

test('an identity is judged again for its dates and for the list of the day', async () => {
  const verdict = await verdictOn(newClient(ca));
  if (!verdict.ok) throw new Error(verdict.reason);
  const { identity } = verdict;
  expect(judgeAgain(identity, { now: new Date() })).toBeUndefined();
  expect(judgeAgain(identity, { now: new Date(Date.now() + 2 * day) })).toMatchObject({ code: 'CERT_EXPIRED' });
  expect(
    judgeAgain(identity, {
      now: new Date(),
      revocation: parseRevocationList(newCrl(ca, { serials: [integer(identity.serial)] }), anchors),
    }),
  ).toMatchObject({ code: 'REVOKED' });
});
test('an identity is the same in a renewed certificate, and not in another trust domain', async () => {
  const identities = [
    newClient(ca),
    newClient(ca, { uris: ['spiffe://example.org/client/alice', 'spiffe://example.org/group/x'] }),
    newClient(ca, { uris: ['spiffe://other.org/client/alice'] }),
  ]
    .map((client) =>
      judgeClient(
        {
          authorized: true,
          authorizationError: undefined,
          sessionReused: false,
          leaf: new X509Certificate(client.der),
        },
        { now: new Date() },
      ),
    )
    .map((verdict) => {
      if (!verdict.ok) throw new Error(verdict.reason);
      return verdict.identity;
    });
  expect(sameIdentity(identities[0]!, identities[1]!)).toBe(true);
  expect(sameIdentity(identities[0]!, identities[2]!)).toBe(false);
});

function withChain(leaf: Issued, issuer: Issued): Issued {
  return { ...leaf, certPem: leaf.certPem + issuer.certPem };
}

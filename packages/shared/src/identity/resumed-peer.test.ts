import { X509Certificate, constants } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type TLSSocket, type TlsOptions, connect, createServer } from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import { type Issued, newCa, newClient, newServer } from '../../../../test/support/issuer.ts';
import { type PeerFacts, factsOf, judgeClient } from './peer.ts';

const ca = newCa();
const edge = newServer(ca);

describe('a resumed TLS session', () => {
  test('cannot be had where tickets are off, so that a second handshake is judged afresh', async () => {
    const [first, second] = await twoConnections({ secureOptions: constants.SSL_OP_NO_TICKET }, undefined);
    expect([first, second].map((facts) => facts.sessionReused)).toEqual([false, false]);
    expect([first, second].map((facts) => judgeClient(facts, { now: new Date() }).ok)).toEqual([false, false]);
  });
  test.each([
    ['without a certificate', undefined],
    ['with a good one', newClient(ca)],
  ])('is refused where tickets are on, %s', async (_, client) => {
    const [, second] = await twoConnections({ secureOptions: 0 }, client);
    expect(second.sessionReused).toBe(true);
    expect(judgeClient(second, { now: new Date() })).toMatchObject({ ok: false });
  });
  test('is refused whatever else it claims', () => {
    const leaf = new X509Certificate(newClient(ca).der);
    const good = { authorized: true, authorizationError: undefined, sessionReused: false, leaf };
    const now = new Date();
    expect(judgeClient(good, { now }).ok).toBe(true);
    expect(judgeClient({ ...good, sessionReused: true }, { now }).ok).toBe(false);
    expect(judgeClient({ ...good, leaf: undefined }, { now })).toMatchObject({ code: 'CLIENT_CERT_MISSING' });
    expect(judgeClient({ ...good, authorized: false }, { now })).toMatchObject({ code: 'CLIENT_CERT_INVALID' });
    expect(judgeClient({ ...good, authorizationError: 'SOMETHING_NEW' }, { now })).toMatchObject({
      code: 'CLIENT_CERT_INVALID',
      reason: 'the certificate does not verify (SOMETHING_NEW)',
    });
  });
});

/** Two connections of one client, the second with whatever session the first was given. */
async function twoConnections(tls: TlsOptions, client: Issued | undefined): Promise<[PeerFacts, PeerFacts]> {
  const listener = createServer({
    cert: edge.certPem,
    key: edge.keyPem,
    ca: ca.certPem,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
    ...tls,
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  let session: Buffer | undefined;
  const facts: PeerFacts[] = [];
  try {
    for (let round = 0; round < 2; round++) {
      const socket = connect({
        host: '127.0.0.1',
        port: (listener.address() as AddressInfo).port,
        servername: 'localhost',
        ca: ca.certPem,
        rejectUnauthorized: false,
        ...(client === undefined ? {} : { cert: client.certPem, key: client.keyPem }),
        ...(session === undefined ? {} : { session }),
      });
      socket.on('session', (given) => {
        session = given;
      });
      const [[accepted]] = await Promise.all([
        once(listener, 'secureConnection') as Promise<[TLSSocket]>,
        once(socket, 'secureConnect'),
      ]);
      facts.push(factsOf(accepted));
      // One byte back and forth: tickets travel after the handshake, before the first data.
      accepted.end('x');
      socket.resume();
      await once(socket, 'end');
      socket.destroy();
      accepted.destroy();
    }
  } finally {
    listener.close();
  }
  return [facts[0]!, facts[1]!];
}

import { expect, test } from '@jest/globals';
import { certificates } from '../../../../test/support/certificates.ts';
import { newCa, newServer } from '../../../../test/support/issuer.ts';
import { webSocketPairs } from '../../../../test/support/websocket-pair.ts';
import { loadCredentials } from '../identity/credentials.ts';
import { loadTrustAnchors } from '../identity/trust.ts';
import { dialWebSocket, type DialWebSocketOptions } from './websocket.ts';

const certs = certificates();
const alice = certs.client('alice');

const dial = (port: number, changes: Partial<DialWebSocketOptions> = {}): ReturnType<typeof dialWebSocket> =>
  dialWebSocket({
    host: '127.0.0.1',
    port,
    path: '/adit',
    headers: {},
    serverName: '127.0.0.1',
    credentials: loadCredentials({ cert: alice.cert, key: alice.key, role: 'client' }),
    ca: loadTrustAnchors(certs.ca),
    deadlineMs: 30_000,
    signal: new AbortController().signal,
    ...changes,
  });

test('both ends of both forms export the same, and the form and the intermediary are told', async () => {
  for (const form of ['websocket', 'websocket+tls'] as const) {
    const { client, server } = await (await webSocketPairs(certs, form)).pair();
    expect([client.kind, client.intermediary]).toEqual([form, form === 'websocket' ? undefined : 'CN=Public']);
    expect(
      client.exportKey('EXPORTER-x', Buffer.alloc(1)).equals(server.exportKey('EXPORTER-x', Buffer.alloc(1))),
    ).toBe(true);
    client.duplex.destroy();
    server.duplex.destroy();
  }
});

test('an intermediary that this system does not trust is refused, and named', async () => {
  const { port } = await webSocketPairs(certs, 'websocket+tls');
  await expect(dial(port)).rejects.toMatchObject({
    code: 'EGRESS_CERT_INVALID',
    message: expect.stringMatching(
      new RegExp(
        '^the server that answers as wss:.* issued by CN=Public: ' +
          'that is not our CA, and this system does not trust it either',
      ),
    ),
  });
});

test('a complaint about a certificate calls the egress what the user wrote', async () => {
  const { port } = await webSocketPairs(certs, 'websocket+tls');
  await expect(dial(port, { called: 'tunnel.example.org:443' })).rejects.toMatchObject({
    message: expect.stringMatching(/^the server that answers as tunnel\.example\.org:443 has a certificate /),
    advice: expect.stringMatching(/--ca\b.*--outer-ca/),
  });
});

test('an intermediary whose certificate is for another host is refused as that', async () => {
  const authority = newCa('Other');
  const shown = newServer(authority, { dns: ['elsewhere.example.org'] });
  const pairs = await webSocketPairs(certs, 'websocket+tls', { frontTls: { cert: shown.certPem, key: shown.keyPem } });
  await expect(
    pairs.pair({ outerCa: loadTrustAnchors(certs.write('other-ca', authority).cert) }),
  ).rejects.toMatchObject({
    code: 'EGRESS_CERT_INVALID',
    message: expect.stringMatching(/ issued by CN=Other: that is not our CA, and it is not for 127\.0\.0\.1 /),
  });
});

test('the certificate of the egress has to cover the name that is meant, whatever host was dialled', async () => {
  const others = certificates();
  Object.assign(others, {
    egress: others.write('elsewhere', newServer(others.authority, { dns: ['tunnel.example.org'] })),
  });
  const { client, server } = await (
    await webSocketPairs(others, 'websocket')
  ).pair({ serverName: 'tunnel.example.org' });
  expect(client.kind).toBe('websocket');
  for (const { duplex } of [client, server]) duplex.destroy();
});

test('a certificate of our CA that is not in order is no reason to look for an intermediary', async () => {
  const { port } = await webSocketPairs(certs, 'websocket');
  await expect(dial(port, { serverName: 'elsewhere.example.org' })).rejects.toMatchObject({
    code: 'EGRESS_CERT_INVALID',
    message: expect.stringMatching(/^(?!.*; and).*not for "elsewhere/),
  });
});

test('the egress behind an intermediary has to prove itself inside', async () => {
  const pairs = await webSocketPairs(certs, 'websocket+tls');
  await expect(pairs.pair({ serverName: 'elsewhere.example.org' })).rejects.toMatchObject({
    code: 'EGRESS_CERT_INVALID',
    message: expect.stringContaining('not for "elsewhere'),
  });
});

test('an intermediary that has no TLS 1.3 is one all the same', async () => {
  const pairs = await webSocketPairs(certs, 'websocket+tls', { frontTls: { maxVersion: 'TLSv1.2' } });
  const { client, server } = await pairs.pair();
  expect([client.kind, client.intermediary]).toEqual(['websocket+tls', 'CN=Public']);
  client.duplex.destroy();
  server.duplex.destroy();
});

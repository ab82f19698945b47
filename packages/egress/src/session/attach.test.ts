import { once } from 'node:events';
import tls, { type ConnectionOptions } from 'node:tls';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { connectSession } from '@adit/shared/session/connect';
import type { Certificates } from '../../../../test/support/certificates.ts';
import { day, newCa, newClient } from '../../../../test/support/issuer.ts';
import { testCarrier, testEgress, testSession } from '../../../../test/support/in-process.ts';

const uri = (name: string): string => `spiffe://example.org/client/${name}`;

test('a client with a good certificate gets a session', async () => {
  const egress = await testEgress();
  const { connected } = await testSession(egress, egress.certs.client('alice'));
  expect(connected.welcome.sessionId).toHaveLength(16);
  expect(await egress.until((line) => line.event === 'connected')).toMatchObject({
    identity: uri('alice'),
    resumed: false,
  });
});

// The reason must reach the ingress as a code and a sentence: a bare TLS alert says nothing.
test.each([
  [
    'CLIENT_CERT_UNKNOWN_CA',
    (certs: Certificates) =>
      certs.write('stranger', newClient(newCa('Other'), { subject: 'alice', uris: [uri('alice')] })),
  ],
  [
    'CLIENT_CERT_NO_IDENTITY',
    (certs: Certificates) => certs.write('nobody', newClient(certs.authority, { subject: 'nobody', uris: [] })),
  ],
])('is refused as %s and told so', async (code, make) => {
  const egress = await testEgress();
  await expect(testSession(egress, make(egress.certs))).rejects.toMatchObject({ code });
  expect(await egress.until((line) => line.event === 'denied')).toMatchObject({ code });
});

test('an expired certificate is refused as expired', async () => {
  const egress = await testEgress();
  const expired = egress.certs.write(
    'old',
    newClient(egress.certs.authority, {
      subject: 'old',
      uris: [uri('old')],
      from: new Date(Date.now() - 2 * day),
      to: new Date(Date.now() - day),
    }),
  );
  const socket = tls.connect({
    host: '127.0.0.1',
    port: egress.port,
    cert: readFileSync(expired.cert),
    key: readFileSync(expired.key),
    ca: readFileSync(egress.certs.ca),
    ALPNProtocols: ['adit/1'],
    minVersion: 'TLSv1.3',
  });
  socket.on('error', () => {
    /* the refusal is what counts */
  });
  const [frame] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  expect([frame[0], frame.readUInt16BE(8)]).toEqual([0xc2, 34]); // REFUSE, CLIENT_CERT_EXPIRED
});

test('without a certificate the answer is one REFUSE and nothing the peer says is read', async () => {
  const egress = await testEgress();
  const socket = tls.connect({
    host: '127.0.0.1',
    port: egress.port,
    ca: readFileSync(egress.certs.ca),
    ALPNProtocols: ['adit/1'],
    minVersion: 'TLSv1.3',
    allowHalfOpen: true,
  } as ConnectionOptions);
  socket.on('error', () => {
    /* the refusal is what counts */
  });
  await once(socket, 'secureConnect');
  socket.write('hello');
  const [frame] = (await once(socket, 'data')) as [Buffer];
  expect([frame[0], frame.readUInt16BE(8)]).toEqual([0xc2, 32]);
  await once(socket, 'end');
  socket.destroy();
});

test('an identity that no rule names is refused before a session is made', async () => {
  const egress = await testEgress({
    policy: 'version: 1\nrules:\n  - name: bob\n    identities: [bob]\n    allow: ["127.0.0.1:*"]\n',
  });
  await expect(testSession(egress, egress.certs.client('alice'))).rejects.toMatchObject({
    code: 'IDENTITY_NOT_IN_POLICY',
  });
});

test('garbage instead of HELLO is refused as a protocol error', async () => {
  const egress = await testEgress();
  const carrier = await testCarrier(egress, egress.certs.client('alice'));
  carrier.duplex.write('GET / HTTP/1.1\r\n\r\n');
  const [frame] = (await once(carrier.duplex, 'data')) as [Buffer];
  carrier.duplex.destroy();
  expect([frame[0], frame.readUInt16BE(8)]).toEqual([0xc2, 1]);
});

test('a version that this egress does not speak is refused', async () => {
  const egress = await testEgress();
  const carrier = await testCarrier(egress, egress.certs.client('alice'));
  const { write } = carrier.duplex;
  // HELLO as connectSession writes it, with VER_MIN and VER_MAX of a far future.
  carrier.duplex.write = ((chunk: Buffer) => {
    chunk[16] = chunk[17] = 9;
    return write.call(carrier.duplex, chunk, undefined as never, undefined as never);
  }) as typeof write;
  await expect(connectSession(carrier, { window: 262_144, agent: 'test', deadlineMs: 30_000 })).rejects.toMatchObject({
    code: 'VERSION',
  });
  carrier.duplex.destroy();
});

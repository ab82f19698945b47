import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { startEgress, startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { chaos } from '../support/chaos.ts';
import { chunkFrom, client, echo } from '../support/services.ts';
import { integer } from '../support/issuer.ts';
import { within } from '../support/scope.ts';

async function setUp() {
  const files = certificates();
  const echoes = await echo();
  const crl = files.revoke({});
  const egress = await startEgress({ certificates: files, flags: ['--crl', crl] });
  const network = await chaos(egress.port, { from: '127.0.0.1' });
  const alice = files.client('alice');
  const ingress = await startIngress({
    certificates: files,
    egressPort: network.port,
    to: { echo: echoes.at },
    client: alice,
  });
  const open = await client(ingress.ports['echo']!);
  open.socket.write('one');
  expect(String(await chunkFrom(open.socket))).toBe('one');
  return { files, egress, network, alice, ingress, open };
}

test('an ingress that comes back from another address goes on where it was', async () => {
  const { network, egress, ingress, open } = await setUp();
  network.from = '127.0.0.2';
  network.cut();
  open.socket.write('two');
  expect(String(await chunkFrom(open.socket))).toBe('two');
  expect(await egress.process.event('connected', {}, { nth: 2 })).toMatchObject({
    resumed: true,
    remote: expect.stringMatching(/^127\.0\.0\.2:/),
  });
  expect(ingress.process.all('disconnected')).toEqual([]);
});

test('who was revoked while away is denied, and its streams end', async () => {
  const { files, network, egress, alice, ingress, open } = await setUp();
  // it learns of the cut, of the revocation and of the resume at once, in whatever order
  egress.process.signal('SIGSTOP');
  network.cut();
  files.revoke({ serials: [integer(new X509Certificate(readFileSync(alice.cert)).serialNumber)] });
  egress.process.signal('SIGCONT');
  expect((await within(30_000, 'the reset', open.received)).ending).toBe('reset');
  expect(await ingress.process.event('denied')).toMatchObject({ code: 'CLIENT_CERT_REVOKED' });
  await ingress.process.ends(4);
  expect(egress.process.running).toBe(true);
});

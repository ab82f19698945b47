import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { certificates } from '../support/certificates.ts';
import { converse } from '../support/conversation.ts';
import { openCuttableTunnel } from '../support/cuttable-tunnel.ts';
import { echo } from '../support/services.ts';
import { integer } from '../support/issuer.ts';
import { within } from '../support/scope.ts';

async function setUp() {
  const files = certificates();
  const echoes = await echo();
  const alice = files.client('alice');
  const tunnel = await openCuttableTunnel({
    to: { echo: echoes.at },
    network: { from: '127.0.0.1' },
    egress: { certificates: files, flags: ['--crl', files.revoke({})] },
    ingress: { client: alice },
  });
  return { ...tunnel, files, alice, open: await converse(tunnel.port('echo'), 'one') };
}

test('an ingress that comes back from another address goes on where it was', async () => {
  const { network, egress, ingress, open } = await setUp();

  network.from = '127.0.0.2';
  network.cut();
  await open.echoes('two');

  expect(await egress.process.event('connected', {}, { nth: 2 })).toMatchObject({
    resumed: true,
    remote: expect.stringMatching(/^127\.0\.0\.2:/),
  });
  expect(ingress.process.all('disconnected')).toEqual([]);
});

test('an ingress that is revoked while it is away is denied, and its streams end', async () => {
  const { files, network, egress, alice, ingress, open } = await setUp();

  // The egress learns of the cut, the revocation and the resume at once, in any order.
  egress.process.signal('SIGSTOP');
  network.cut();
  files.revoke({ serials: [integer(new X509Certificate(readFileSync(alice.cert)).serialNumber)] });
  egress.process.signal('SIGCONT');

  expect((await within(30_000, 'the reset', open.received)).ending).toBe('reset');
  expect(await ingress.process.event('denied')).toMatchObject({ code: 'CLIENT_CERT_REVOKED' });
  await ingress.process.ends(4);
  expect(egress.process.running).toBe(true);
});

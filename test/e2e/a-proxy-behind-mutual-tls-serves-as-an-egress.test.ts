import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { hello, secureHello } from '../support/curl.ts';
import { newCa, newClient } from '../support/issuer.ts';
import { inTcp, startHaproxy } from '../support/haproxy.ts';
import { startNginx } from '../support/nginx.ts';
import { scenario } from '../support/scenario.ts';
import { within } from '../support/scope.ts';
import { client, closedPort, endingOf, service } from '../support/services.ts';
import { squidWithOpenSsl, startSquid } from '../support/squid.ts';
import { startTinyproxy } from '../support/tinyproxy.ts';

/** A service whose answer ends with its connection: the end has to arrive as one. */
const bye = () =>
  service((socket) => {
    socket.resume().end('bye');
  });

async function lastWords(port: number): Promise<readonly [string, string]> {
  const { bytes, ending } = await within(30_000, 'the end', (await client(port)).received);
  return [bytes.toString(), ending];
}

scenario(
  'tinyproxy, with HAProxy before it asking for certificates of our CA, is a CONNECT egress',
  ['tinyproxy', 'haproxy', 'nginx', 'curl'],
  async () => {
    const files = certificates();
    const nginx = await startNginx();
    const tinyproxy = await startTinyproxy({ open: true });
    const port = await closedPort();
    const pem = join(files.folder, 'front.pem');
    writeFileSync(pem, files.egress.issued.certPem + files.egress.issued.keyPem, { mode: 0o600 });
    await startHaproxy(
      inTcp(`
frontend front
    bind 127.0.0.1:${port} ssl crt ${pem} ca-file ${files.ca} verify required ssl-min-ver TLSv1.3
    default_backend proxy
backend proxy
    server tinyproxy 127.0.0.1:${tinyproxy.port}
`),
    );
    const refused = `127.0.0.1:${await closedPort()}`;
    const ingress = await startIngress({
      certificates: files,
      egressPort: port,
      egress: `connect://127.0.0.1:${port}`,
      to: { http: nginx.http, https: nginx.https, bye: (await bye()).at, refused },
    });
    await ingress.process.event('connected', { carrier: 'connect' });
    expect(await hello(ingress.ports['http']!)).toBe('hello from nginx over HTTP/1.1\n');
    expect(await secureHello(ingress.ports['https']!, nginx.ca)).toBe('hello from nginx over HTTP/2.0\n');
    expect(await lastWords(ingress.ports['bye']!)).toEqual(['bye', 'end']);
    expect(await endingOf(ingress.ports['refused']!)).toBe('reset');
    expect(await ingress.process.event('refused', { destination: refused })).toMatchObject({
      reason: expect.stringMatching(/^the proxy answered 50\d/),
    });
  },
);

scenario(
  'squid that asks for certificates of our CA is a CONNECT egress, and its own rules hold',
  [squidWithOpenSsl, 'nginx', 'curl'],
  async () => {
    const files = certificates();
    const nginx = await startNginx();
    const squid = await startSquid({ tls: files.egress, clientCa: files.ca });
    const refused = `127.0.0.1:${await closedPort()}`;
    const { at } = await bye();
    const start = (name: string) =>
      startIngress({
        certificates: files,
        client: files.client(name),
        egressPort: squid.port,
        egress: `connect://127.0.0.1:${squid.port}`,
        to: { http: nginx.http, https: nginx.https, bye: at, refused },
      });
    const alice = await start('alice');

    expect(await alice.process.event('connected', { carrier: 'connect' })).toMatchObject({ resumable: false });
    expect(await hello(alice.ports['http']!)).toBe('hello from nginx over HTTP/1.1\n');
    expect(await secureHello(alice.ports['https']!, nginx.ca)).toBe('hello from nginx over HTTP/2.0\n');
    expect(await lastWords(alice.ports['bye']!)).toEqual(['bye', 'end']);
    expect(await endingOf(alice.ports['refused']!)).toBe('reset');
    expect(await alice.process.event('refused', { destination: refused })).toMatchObject({
      code: 'HOST_UNREACHABLE',
      reason: 'the proxy answered 503',
    });

    const mallory = await start('mallory'); // of the same CA, so that TLS succeeds and squid refuses
    expect(await endingOf(mallory.ports['http']!)).toBe('reset');
    expect(await mallory.process.event('refused', { destination: nginx.http })).toMatchObject({
      code: 'POLICY_DENIED',
      reason: 'the proxy answered 403',
    });
  },
);

scenario('squid rejects the certificate of a stranger, and the log says so', [squidWithOpenSsl], async () => {
  const files = certificates();
  const squid = await startSquid({ tls: files.egress, clientCa: files.ca });
  const stranger = files.write('stranger', newClient(newCa('Another CA')));
  const ingress = await startIngress({
    certificates: files,
    client: stranger,
    egressPort: squid.port,
    egress: `connect://127.0.0.1:${squid.port}`,
    to: { any: '127.0.0.1:9' },
  });

  // Its alert is followed by a reset. On a busy machine the reset may come before the ingress has read the alert, but
  // not all five times.
  for (let at = 0; at < 5; at++) expect(await endingOf(ingress.ports['any']!)).toBe('reset');
  expect(await ingress.process.event('refused', { code: 'CLIENT_CERT_UNKNOWN_CA' })).toMatchObject({
    reason: `the proxy connect://127.0.0.1:${squid.port} does not accept our certificate (TLSV1_ALERT_UNKNOWN_CA)`,
  });
});

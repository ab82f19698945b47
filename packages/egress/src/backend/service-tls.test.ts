import { once } from 'node:events';
import net from 'node:net';
import { dirname } from 'node:path';
import tls from 'node:tls';
import { writeFileSync } from 'node:fs';
import { describe, expect, it, test } from '@jest/globals';
import type { AditError } from '@adit/shared/errors';
import { Deadline } from '@adit/shared/net/deadline';
import { certificates } from '../../../../test/support/certificates.ts';
import { newCa, newServer, usage } from '../../../../test/support/issuer.ts';
import { serviceOf } from '../../../../test/support/pool-services.ts';
import { atEnd } from '../../../../test/support/scope.ts';
import { service } from '../../../../test/support/services.ts';
import { countsAgainst } from './probes.ts';
import {
  loadDestinationTls,
  loadServiceTls,
  secureBackend,
  tlsFilesOf,
  type SecureBackendOptions,
  type ServiceTls,
} from './service-tls.ts';

const files = certificates();
const client = files.client('edge');

/**
 * A TLS service of the CA, for localhost and 127.0.0.1; the name of its client's certificate, and what ALPN said, come
 * first.
 */
async function tlsService(options: tls.TlsOptions = {}): Promise<number> {
  const server = tls
    .createServer({ cert: files.egress.issued.certPem, key: files.egress.issued.keyPem, ...options }, (socket) => {
      socket.on('error', () => {
        /* the client looks */
      });
      const { subject } = socket.getPeerCertificate() as { readonly subject?: { readonly CN?: string } };
      socket.end(
        `${subject?.CN ?? 'nobody'} ${socket.alpnProtocol || '-'} ` +
          `${(socket as tls.TLSSocket & { readonly servername?: string | false }).servername || '-'}`,
      );
    })
    .on('tlsClientError', () => {
      /* the client looks */
    })
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

async function plain(port: number): Promise<net.Socket> {
  const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  atEnd(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  return socket.on('error', () => {
    /* told by secureBackend */
  });
}

const web = (settings: Readonly<Record<string, string>>): ServiceTls =>
  loadServiceTls(serviceOf({ backends: ['tls://localhost:1'], tls: settings }), files.folder);
const within = (): Deadline => new Deadline(30_000);

async function talk(port: number, options: Partial<SecureBackendOptions>): Promise<string> {
  const transport = await plain(port);
  const { socket, reads } = await secureBackend(transport, {
    tls: web({ ca: files.ca }),
    target: { host: 'localhost', port },
    deadline: within(),
    ...options,
  });
  expect(reads).toBeUndefined();
  socket.end();
  let heard = '';
  for await (const chunk of socket) heard += String(chunk);
  return heard;
}

/** What it fails with, after which nothing is left open. */
async function failure(port: number, options: Partial<SecureBackendOptions>): Promise<unknown> {
  const transport = await plain(port);
  try {
    await secureBackend(transport, {
      tls: web({ ca: files.ca }),
      target: { host: 'localhost', port },
      deadline: within(),
      ...options,
    });
    return undefined;
  } catch (error) {
    expect(transport.destroyed).toBe(true);
    return error;
  }
}

describe('TLS to a backend', () => {
  it('asks for the name in the policy, and verifies it', async () => {
    const port = await tlsService();
    expect(await talk(port, {})).toBe('nobody - localhost');
    expect(
      await talk(port, { tls: web({ ca: files.ca, 'server-name': 'localhost' }), target: { host: '127.0.0.1', port } }),
    ).toBe('nobody - localhost');
    expect(await talk(port, { target: { host: '127.0.0.1', port } })).toBe('nobody - -');
  });

  it("shows the certificate of the service's `cert`", async () => {
    const port = await tlsService({ requestCert: true, ca: files.authority.certPem });
    expect(await talk(port, { tls: web({ ca: files.ca, cert: client.cert, key: client.key }) })).toBe(
      'edge - localhost',
    );
    const { context } = loadDestinationTls({ serviceCa: files.ca, serviceCert: client.cert, serviceKey: client.key });
    expect(await talk(port, { tls: { context } })).toBe('edge - localhost');
  });

  it('offers the protocol of the client, and goes on without it only for HTTP/1.1', async () => {
    const speaks = await tlsService({ ALPNProtocols: ['h2', 'http/1.1'] });
    const silent = await tlsService();
    expect(await talk(speaks, { alpn: 'h2' })).toBe('nobody h2 localhost');
    expect(await talk(silent, { alpn: 'http/1.1' })).toBe('nobody - localhost');
    expect(await failure(silent, { alpn: 'h2' })).toMatchObject({
      code: 'SERVICE_TLS_FAILED',
      cause: { message: 'TLS: the service does not speak h2' },
    });
    expect(await failure(speaks, { alpn: 'mqtt' })).toMatchObject({
      code: 'SERVICE_TLS_FAILED',
      cause: { message: 'TLS: the service does not speak mqtt' },
    });
  });

  it('does not count a protocol that the client chose against the backend', async () => {
    const [speaks, silent] = [await tlsService({ ALPNProtocols: ['h2'] }), await tlsService()];
    for (const [port, alpn] of [
      [speaks, 'mqtt'],
      [silent, 'h2'],
    ] as const)
      expect(countsAgainst((await failure(port, { alpn })) as AditError)).toBe(false);
    expect(countsAgainst((await failure(speaks, { tls: loadDestinationTls({}), alpn: 'h2' })) as AditError)).toBe(true);
  });

  it.each<[string, () => Partial<SecureBackendOptions>, RegExp]>([
    ['another name', () => ({ target: { host: 'other.internal', port: 1 } }), /does not match certificate's altnames/],
    [
      'another CA',
      () => {
        writeFileSync(`${files.folder}/other.crt`, newCa('Other CA').certPem);
        return { tls: web({ ca: 'other.crt' }) };
      },
      /unable to (?:get local issuer|verify the first) certificate|self-signed/,
    ],
    [
      'the roots of the system alone',
      () => ({ tls: loadDestinationTls({}) }),
      /unable to (?:get local issuer|verify the first) certificate|self-signed/,
    ],
  ])('refuses a certificate of %s, and says so without the address', async (_, options, why) => {
    const error = await failure(await tlsService(), {
      ...options(),
      target: { host: 'localhost', port: 1, called: 'web', ...options().target },
    });
    expect(error).toMatchObject({
      code: 'SERVICE_TLS_FAILED',
      message: 'web did not prove by TLS that it is the right service.',
      cause: { message: expect.stringMatching(why) },
    });
  });

  it('refuses a certificate that has expired, and one that is not for servers', async () => {
    for (const wrong of [{ to: new Date(Date.now() - 1000) }, { uses: [usage.client] }]) {
      const { certPem, keyPem } = newServer(files.authority, wrong);
      expect(await failure(await tlsService({ cert: certPem, key: keyPem }), {})).toMatchObject({
        code: 'SERVICE_TLS_FAILED',
      });
    }
  });

  it('refuses TLS 1.1, bytes that are not TLS, and an end instead of an answer', async () => {
    expect(
      await failure(
        await tlsService({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
        {},
      ),
    ).toMatchObject({ code: 'SERVICE_TLS_FAILED' });
    for (const serve of [
      (socket: net.Socket) => {
        socket.write('220 not TLS\r\n');
      },
      (socket: net.Socket) => {
        socket.end();
      },
      (socket: net.Socket) => {
        socket.once('data', () => {
          socket.resetAndDestroy();
        });
      },
    ]) {
      const { port } = await service(serve);
      expect(await failure(port, {})).toMatchObject({ code: 'SERVICE_TLS_FAILED' });
    }
  });

  it('gives up at the deadline, and when the signal is aborted', async () => {
    const { port } = await service(() => {
      /* silent */
    });
    expect(await failure(port, { deadline: new Deadline(1) })).toMatchObject({ code: 'DIAL_TIMEOUT' });
    const giveUp = new AbortController();
    setImmediate(() => giveUp.abort());
    expect(await failure(port, { signal: giveUp.signal })).toMatchObject({ code: 'PEER_GONE' });
    expect(await failure(port, { signal: AbortSignal.abort() })).toMatchObject({ code: 'PEER_GONE' });
  });

  it('fails when nothing was loaded to verify with, rather than going on in the clear', async () => {
    expect(await failure(await tlsService(), { tls: undefined })).toMatchObject({ code: 'INTERNAL' });
  });
});

test('the files of a service are relative to the folder of the policy', () => {
  const written = serviceOf({ backends: ['tls://a:1'], tls: { ca: 'ca.pem', cert: '/etc/c.pem', key: 'k.pem' } });
  expect(tlsFilesOf(written, '/etc/adit')).toEqual(['/etc/adit/ca.pem', '/etc/c.pem', '/etc/adit/k.pem']);
  expect(tlsFilesOf(serviceOf('tls://a:1'), '/etc/adit')).toEqual([]);
});

test('the error names a file that cannot be used', () => {
  expect(() => web({ ca: 'missing.crt' })).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`${dirname(files.ca)}/missing.crt`),
    }),
  );
  expect(() => web({ cert: files.ca, key: client.key })).toThrow(
    expect.objectContaining({ code: 'CREDENTIALS_UNUSABLE', message: expect.stringContaining('ca.crt') }),
  );
  expect(() => loadDestinationTls({ serviceCa: `${files.folder}/missing.crt` })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  );
});

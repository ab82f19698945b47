import { connect, type Socket } from 'node:net';
import { expect } from '@jest/globals';
import { listeningPort, openTunnel, policyOf, type Tunnel } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { run, succeed, type Finished } from '../support/child.ts';
import { curlByName } from '../support/curl.ts';
import { adapted, blocksOf } from '../support/documented.ts';
import { newServer } from '../support/issuer.ts';
import { inHttp, startNginxWith } from '../support/nginx.ts';
import { fingerprintOf, shownFingerprint, tlsHandshake } from '../support/openssl-client.ts';
import { scenario } from '../support/scenario.ts';
import { shared } from '../support/shared.ts';
import { closedPort, service } from '../support/services.ts';

const programs = ['curl', 'nginx', 'openssl'];
const files = certificates();
/** The certificate that a client sees, by the name that it asks for. */
const services = Object.fromEntries(
  ['a.example.com', 'b.example.com', 'any.wild.example.com'].map((name) => [
    name,
    files.write(name, newServer(files.authority, { subject: name, dns: [name] })),
  ]),
);

interface Led extends Tunnel {
  readonly sni: number;
  readonly mixed: number;
  readonly a: number;
}

/** nginx is each of the services on a port of its own; one more port is denied, and on one nothing listens. */
const setUp = shared(async (): Promise<Led> => {
  const ports = new Map<string, number>();
  const servers: string[] = [];
  for (const [name, { cert, key }] of Object.entries(services)) {
    ports.set(name, await closedPort());
    servers.push(
      `server { listen 127.0.0.1:${ports.get(name)} ssl http2; ssl_certificate ${cert}; ssl_certificate_key ` +
        `${key}; location / { return 200 "hello from ${name} over $server_protocol\\n"; } }`,
    );
  }
  await startNginxWith(inHttp(servers.join('\n')));
  const at = (name: string): string => `127.0.0.1:${ports.get(name)}`;
  const routes = [
    `a.example.com=${at('a.example.com')}`,
    'b.example.com=b',
    `*.wild.example.com=${at('any.wild.example.com')}`,
    'deep.wild.example.com=refuse',
    'denied.example.com=denied.internal:443',
    `closed.example.com=127.0.0.1:${await closedPort()}`,
  ];
  const policy = policyOf({ allow: ['127.0.0.1:*', 'b'], services: { b: `tcp://${at('b.example.com')}` } });
  const tunnel = await openTunnel({
    to: {},
    policy,
    ingress: { flags: ['--sni', '0', '--mixed', '0', ...routes.flatMap((route) => ['--sni-route', route])] },
  });
  const portFor = (option: string): Promise<number> => listeningPort(tunnel.ingress.process, { [option]: '0' });
  return { ...tunnel, sni: await portFor('sni'), mixed: await portFor('mixed'), a: ports.get('a.example.com')! };
});

const curl = (name: string, port: number, ...args: readonly string[]): Promise<Finished> =>
  curlByName({ name, port, ca: files.ca, path: '/' }, ...args);
const handshake = (port: number, ...args: readonly string[]): Promise<Finished> =>
  tlsHandshake(port, files.ca, ...args);

scenario(
  'curl reaches each of several services by its name, on a port for TLS and on the one for everything',
  programs,
  async () => {
    const { sni, mixed } = await setUp();

    for (const port of [sni, mixed]) {
      for (const name of Object.keys(services))
        expect(await curl(name, port)).toMatchObject({ code: 0, stdout: `hello from ${name} over HTTP/2.0\n` });
      expect(await curl('b.example.com', port, '--tls-max', '1.2', '--http1.1')).toMatchObject({
        code: 0,
        stdout: 'hello from b.example.com over HTTP/1.1\n',
      });
    }
  },
);

scenario('a client sees the certificate of the service', programs, async () => {
  const { sni } = await setUp();

  for (const [name, pair] of Object.entries(services)) {
    const shown = await handshake(sni, '-servername', name, '-showcerts');
    expect(shownFingerprint(shown)).toBe(fingerprintOf(pair));
    expect(shown.stdout).toContain('Verify return code: 0 (ok)');
  }
});

scenario(
  'a client that cannot be connected gets an alert that openssl knows, and the log says why',
  programs,
  async () => {
    const { sni, mixed, ingress } = await setUp();
    const refused = async (alert: number, code: string, reason: RegExp, ...args: string[]): Promise<void> => {
      for (const port of [sni, mixed]) {
        const { stderr, code: status } = await handshake(port, ...args);
        expect(stderr).toMatch(new RegExp(`SSL alert number ${alert}\\b`));
        expect(status).not.toBe(0);
      }
      await ingress.process.event('refused', { code, reason }, { nth: 2 });
    };

    await refused(
      112,
      'CLIENT_NO_ROUTE',
      /no --sni-route matches elsewhere\.example\.com/,
      '-servername',
      'elsewhere.example.com',
    );
    await refused(
      112,
      'CLIENT_NO_ROUTE',
      /deep\.wild\.example\.com says refuse/,
      '-servername',
      'deep.wild.example.com',
    );
    await refused(109, 'CLIENT_NO_ROUTE', /names no server/, '-noservername');
    await refused(49, 'POLICY_DENIED', /denied\.internal/, '-servername', 'denied.example.com');
    await refused(80, 'CONNECTION_REFUSED', /refused/, '-servername', 'closed.example.com');
    const plain = await run('curl', ['-sS', '--max-time', '60', `http://127.0.0.1:${sni}/`]);
    expect(plain.code).not.toBe(0);
    await ingress.process.event('refused', { code: 'CLIENT_MALFORMED', reason: /not TLS/ });
  },
);

/**
 * Leads to a port and sends what comes from the client byte by byte; how many bytes that were before the first answer.
 */
async function splitting(port: number): Promise<{ readonly port: number; firstFlight(): number }> {
  let sent = 0;
  let first = 0;
  const through = async (from: Socket, to: Socket): Promise<void> => {
    for await (const chunk of from) {
      for (const byte of chunk as Buffer) {
        to.write(Uint8Array.of(byte));
        if (++sent % 8 === 0) await new Promise(setImmediate);
      }
    }
    to.end();
  };
  const { port: taken } = await service((socket) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
      .on('error', () => socket.destroy())
      .once('data', () => {
        first = sent;
      });
    far.pipe(socket);
    through(socket, far).catch(() => far.destroy());
  });
  return { port: taken, firstFlight: () => first };
}

scenario('a hello of 20 kB that arrives byte by byte is routed like any other', programs, async () => {
  const { sni, mixed } = await setUp();
  const protocols = ['http/1.1', ...Array.from({ length: 90 }, (_, at) => `${at}`.padEnd(230, 'x'))].join(',');

  for (const port of [sni, mixed]) {
    const slow = await splitting(port);
    const { stdout } = await handshake(slow.port, '-servername', 'a.example.com', '-alpn', protocols);
    expect(stdout).toContain('Verify return code: 0 (ok)');
    expect(stdout).toMatch(/subject=CN = a\.example\.com/);
    expect(stdout).toContain('ALPN protocol: http/1.1');
    expect(slow.firstFlight()).toBeGreaterThan(20_000);
  }
});

scenario('the example of the page works', programs, async () => {
  const { sni } = await setUp();
  const [line, ...more] = blocksOf('sni.md')
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.trim().split('\n'));

  expect(more).toEqual([]);
  const { stdout } = await succeed('sh', [
    '-c',
    adapted(line!, {
      '127.0.0.1:8443': `127.0.0.1:${sni}`,
      'https://www.example.com': `--cacert ${files.ca} https://a.example.com`,
    }),
  ]);
  expect(stdout).toBe('hello from a.example.com over HTTP/2.0\n');
});

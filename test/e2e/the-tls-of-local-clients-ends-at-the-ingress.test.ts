import { copyFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { adit, listeningPort, openTunnel, policyOf, type Tunnel } from '../support/adit.ts';
import { type Pair, sessionArguments } from '../support/arguments.ts';
import { certificates, type Certificates, type KeyPair } from '../support/certificates.ts';
import { run, succeed, type Finished } from '../support/child.ts';
import { curlByName } from '../support/curl.ts';
import { adapted, blocksOf } from '../support/documented.ts';
import { newServer } from '../support/issuer.ts';
import { startNginx } from '../support/nginx.ts';
import { fingerprintOf, shownFingerprint, tlsHandshake } from '../support/openssl-client.ts';
import { scenario } from '../support/scenario.ts';
import { closedPort } from '../support/services.ts';

const programs = ['curl', 'nginx', 'openssl'];
const files = certificates();
const pairOf = (name: string, dns = [name]): KeyPair =>
  files.write(name, newServer(files.authority, { subject: name, dns }));
const [one, two] = [pairOf('one.example.com'), pairOf('two.example.com', ['*.example.org'])];
const flagsOf = (...pairs: readonly Pair[]): string[] =>
  pairs.flatMap(({ cert, key }) => ['--tls-cert', cert, '--tls-key', key]);

/** An ingress that ends TLS before each of these destinations; their ports in the same order. */
async function terminating(
  destinations: readonly string[],
  {
    certs = flagsOf(one, two),
    policy = policyOf({ allow: ['127.0.0.1:*', 'localhost:*'] }),
    egress = [] as readonly string[],
  } = {},
): Promise<Tunnel & { readonly ports: readonly number[] }> {
  const tunnel = await openTunnel({
    to: {},
    policy,
    egress: { flags: egress },
    ingress: { flags: [...destinations.flatMap((destination) => ['--tls-listen', `0:${destination}`]), ...certs] },
  });
  const ports: number[] = [];
  for (const destination of destinations)
    ports.push(await listeningPort(tunnel.ingress.process, { tlsListen: `0:${destination}` }));
  return { ...tunnel, ports };
}

const curl = (name: string, port: number, ...args: readonly string[]): Promise<Finished> =>
  curlByName({ name, port, ca: files.ca, path: '/hello' }, ...args);
const handshake = (port: number, ...args: readonly string[]): Promise<Finished> =>
  tlsHandshake(port, files.ca, ...args);

/** Of the certificate that openssl is shown for this name, or for none. */
async function fingerprint(port: number, name: string): Promise<string> {
  const asked = name === '' ? ['-noservername'] : ['-servername', name];
  return shownFingerprint(await handshake(port, ...asked, '-showcerts'));
}

scenario(
  'curl speaks TLS of either version to a service that has none, by two names with a certificate each',
  programs,
  async () => {
    const {
      ports: [port],
    } = await terminating([(await startNginx()).http]);

    for (const version of ['1.2', '1.3']) {
      for (const name of ['one.example.com', 'any.example.org'])
        expect(await curl(name, port!, `--tlsv${version}`, '--tls-max', version)).toMatchObject({
          code: 0,
          stdout: 'hello from nginx over HTTP/1.1\n',
        });
    }

    expect([await fingerprint(port!, 'one.example.com'), await fingerprint(port!, 'any.example.org')]).toEqual([
      fingerprintOf(one),
      fingerprintOf(two),
    ]);
  },
);

scenario(
  'with tls:// the second leg is verified TLS as well: from --tls-listen and from --forward',
  programs,
  async () => {
    const nginx = await startNginx();
    const secure = `tls://localhost:${nginx.https.split(':')[1]}`;
    const {
      ports: [port],
      egress,
    } = await terminating([secure], { egress: ['--service-ca', nginx.ca] });

    expect(await curl('one.example.com', port!)).toMatchObject({ code: 0, stdout: 'hello from nginx over HTTP/1.1\n' });
    await egress.process.event('stream', { requested: secure, frontEnd: 'tls-termination', end: 'finished' });
    const plain = await openTunnel({
      to: { web: secure },
      policy: policyOf({ allow: ['localhost:*'] }),
      egress: { flags: ['--service-ca', nginx.ca] },
    });
    expect(await run('curl', ['-sS', `http://127.0.0.1:${plain.port('web')}/hello`])).toMatchObject({
      code: 0,
      stdout: 'hello from nginx over HTTP/1.1\n',
    });

    const strange = await terminating([secure]);
    expect((await handshake(strange.ports[0]!, '-servername', 'one.example.com')).stderr).toMatch(
      /SSL alert number 80\b/,
    );
    await strange.ingress.process.event('refused', { code: 'SERVICE_TLS_FAILED' });
  },
);

scenario(
  'HTTP/2 is agreed on both legs where --tls-alpn names it; a protocol that neither side speaks is refused',
  programs,
  async () => {
    const nginx = await startNginx();
    const {
      ports: [port],
    } = await terminating([`tls://localhost:${nginx.https.split(':')[1]}`], {
      certs: [...flagsOf(one), '--tls-alpn', 'h2', '--tls-alpn', 'http/1.1'],
      egress: ['--service-ca', nginx.ca],
    });

    expect(await curl('one.example.com', port!)).toMatchObject({ code: 0, stdout: 'hello from nginx over HTTP/2.0\n' });
    expect(await curl('one.example.com', port!, '--http1.1')).toMatchObject({
      code: 0,
      stdout: 'hello from nginx over HTTP/1.1\n',
    });
    expect((await handshake(port!, '-alpn', 'smtp')).stderr).toMatch(/SSL alert number 120\b/);
  },
);

scenario(
  'a client that cannot be connected gets an alert; one that rejects the certificate is in the log',
  programs,
  async () => {
    const closed = await closedPort();
    const {
      ports: [denied, refused],
      ingress,
    } = await terminating(['denied.internal:80', `127.0.0.1:${closed}`]);

    expect((await handshake(denied!)).stderr).toMatch(/SSL alert number 49\b/);
    expect((await handshake(refused!)).stderr).toMatch(/SSL alert number 80\b/);
    await ingress.process.event('refused', { code: 'POLICY_DENIED' });
    await ingress.process.event('refused', { code: 'CONNECTION_REFUSED' });
    const {
      ports: [port],
      ingress: other,
    } = await terminating([(await startNginx()).http]);
    expect((await handshake(port!, '-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0')).stderr).toMatch(
      /SSL alert number 70\b/,
    );
    await other.process.event('refused', { code: 'CLIENT_TLS_FAILED', reason: /unsupported protocol/ });
    expect(
      (
        await run('curl', [
          '-sS',
          '--tls-max',
          '1.2',
          '--resolve',
          `one.example.com:${port}:127.0.0.1`,
          `https://one.example.com:${port}/hello`,
        ])
      ).code,
    ).toBe(60);
    await other.process.event('refused', { code: 'CLIENT_TLS_FAILED', reason: /unknown ca/ });
  },
);

/** One pair of files that is replaced. */
function live(of: Certificates): { readonly pair: Pair; put(from: KeyPair): void } {
  const pair = { cert: join(of.folder, 'live.crt'), key: join(of.folder, 'live.key') };
  return {
    pair,
    put: (from) => {
      for (const part of ['cert', 'key'] as const) {
        copyFileSync(from[part], `${pair[part]}.new`);
        renameSync(`${pair[part]}.new`, pair[part]);
      }
    },
  };
}

scenario(
  'a certificate that is replaced is shown to the next client, a broken one never, and SIGHUP reads again',
  programs,
  async () => {
    const { pair, put } = live(files);
    put(one);
    const {
      ports: [port],
      ingress: { process },
    } = await terminating([(await startNginx()).http], { certs: flagsOf(pair) });

    expect(await fingerprint(port!, '')).toBe(fingerprintOf(one));
    put(two);
    await process.event('reloaded', { what: 'local certificates' });
    expect(await fingerprint(port!, '')).toBe(fingerprintOf(two));
    writeFileSync(pair.cert, 'nonsense');
    await process.event('reload-failed', { code: 'CREDENTIALS_UNUSABLE', reason: /live\.crt/ });
    expect(await curl('any.example.org', port!)).toMatchObject({ code: 0 });
    process.signal('SIGHUP');
    await process.event('reload-failed', { cause: 'SIGHUP' });
    put(one);
    await process.event('reloaded', { what: 'local certificates' }, { nth: 2 });
    expect(await fingerprint(port!, '')).toBe(fingerprintOf(one));
  },
);

scenario('a certificate that cannot be shown stops the start, with one line that says which', [], async () => {
  const alice = files.client('alice');
  const start = (...certs: readonly string[]): Promise<Finished> =>
    adit(['ingress', ...sessionArguments(files, alice), '--tls-listen', '0:127.0.0.1:1', ...certs]);
  const broken = join(files.folder, 'broken.crt');
  writeFileSync(broken, 'nonsense');

  for (const more of [[], ['--check']]) {
    const { code, stderr } = await start(...flagsOf(one, { cert: broken, key: one.key }), ...more);
    expect({ code, lines: stderr.trim().split('\n') }).toEqual({
      code: 3,
      lines: [expect.stringContaining(`The certificate ${broken} is not in PEM form.`)],
    });
    expect(await start(...flagsOf({ cert: one.cert, key: two.key }), ...more)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('does not belong to the certificate'),
    });
    expect(await start(...more)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('has no certificate to show'),
    });
    expect(await start('--tls-cert', one.cert, ...more)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('each --tls-cert has its --tls-key'),
    });
  }
});

scenario('the example of the page works', programs, async () => {
  const {
    ports: [port],
  } = await terminating([(await startNginx()).http], { certs: flagsOf(pairOf('localhost')) });
  const [line, ...more] = blocksOf('tls-termination.md')
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.trim().split('\n'));

  expect(more).toEqual([]);
  expect(
    (
      await succeed('sh', [
        '-c',
        adapted(line!, { 'local-ca.crt': files.ca, 'localhost:8443/': `localhost:${port}/hello` }),
      ])
    ).stdout,
  ).toBe('hello from nginx over HTTP/1.1\n');
});

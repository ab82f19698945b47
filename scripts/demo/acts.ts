/**
 * The acts of the demo, in order. Each shows what it does, checks it, and throws if the check fails.
 * Rule: the acts use only programs that users have. Everything shown was measured or read in this run.
 */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { BadNetwork } from './bad-network.ts';
import {
  adit,
  download,
  startEgress,
  startForbidden,
  startIngress,
  startServices,
  writePolicy,
  type Egress,
  type Forbidden,
  type Ingress,
} from './cast.ts';
import { within, type Child } from './child.ts';
import type { Downloaded } from './download.ts';
import type { Ready } from './services.ts';
import { stage } from './stage.ts';

const mib = 2 ** 20;
const largeBytes = 1024 * mib;
const cutBytes = 256 * mib;
const cutAfterBytes = [50 * mib, 120 * mib, 200 * mib];
const requestTimeoutMs = 10_000;

/** What the acts share. */
interface Scene {
  readonly folder: string;
  readonly services: Child;
  readonly ready: Ready;
  readonly forbidden: Forbidden;
  readonly egress: Egress;
  /** Alice's ingress. */
  readonly alice: Ingress;
}

/** Runs all acts. `folder` is empty; the caller removes it. */
export async function play(folder: string): Promise<void> {
  stage.title(
    'Adit',
    'a tunnel in two halves: the ingress on your machine, the egress beside the services, mutual TLS 1.3 between them',
  );
  await identities(folder);
  const { process: services, ready } = await startServices(folder, [cutBytes, largeBytes]);
  await policy(folder, ready);
  const scene = { folder, services, ready, forbidden: await startForbidden() };
  const playing: Scene = { ...scene, ...(await bothHalves(scene)) };
  for (const act of [web, denied, shop, transfer, cuts, revocation, curtain]) await act(playing);
}

function check(held: boolean, complaint: string): void {
  if (!held) throw new Error(complaint);
}

function equal(found: unknown, expected: unknown, what: string): void {
  check(found === expected, `${what}: expected ${String(expected)}, found ${String(found)}`);
}

async function identities(folder: string): Promise<void> {
  stage.act('A certificate authority, and identities');
  const run = async (shown: string): Promise<void> => {
    stage.command(`adit ca ${shown}`);
    await adit(
      folder,
      'ca',
      ...shown.split(' '),
      '--dir',
      '@ca',
      ...(shown.startsWith('issue') ? ['--out', folder] : []),
    );
  };
  await run('init --trust-domain example.org');
  await run('issue egress edge --host 127.0.0.1');
  await run('issue client alice --group developers');
  await run('issue client mallory');
  await run('crl');
  const { publicKey, subjectAltName = '' } = new X509Certificate(readFileSync(join(folder, 'alice.crt')));
  equal(publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1', 'the curve of the key of alice');
  stage.held(`alice is ${subjectAltName.replaceAll('URI:', '').replace(', ', ' in ')}`, 'ECDSA P-256');
  // Somebody else's CA, for a service that brings its own TLS.
  await adit(folder, 'ca', 'init', '--dir', '@service-ca', '--trust-domain', 'shop.test');
  await adit(
    folder,
    'ca',
    'issue',
    'egress',
    'shop',
    '--host',
    'shop.test',
    '--dir',
    '@service-ca',
    '--out',
    '@service',
  );
}

async function policy(folder: string, ready: Ready): Promise<void> {
  stage.act('Who may reach what');
  stage.quote(writePolicy(folder, ready));
  stage.command('adit policy check policy.yaml');
  stage.held((await adit(folder, 'policy', 'check', '@policy.yaml')).replace(`${folder}/`, ''));
}

async function bothHalves({
  folder,
  forbidden,
}: Pick<Scene, 'folder' | 'forbidden'>): Promise<Pick<Scene, 'egress' | 'alice'>> {
  stage.act('Both halves');
  stage.command(
    'adit egress --listen 127.0.0.1:0 --cert edge.crt --key edge.key --client-ca ca.crt --crl ca/crl.pem ' +
      '--policy policy.yaml',
  );
  const egress = await startEgress(folder);
  stage.command(
    `adit ingress --egress 127.0.0.1:${egress.port} --cert alice.crt --key alice.key --ca ca.crt -L 0:web -L ` +
      `0:shop -L 0:bytes -L 0:127.0.0.1:${forbidden.port}`,
  );
  const alice = await startIngress(folder, 'alice', {
    egressPort: egress.port,
    to: ['web', 'shop', 'bytes', `127.0.0.1:${forbidden.port}`],
  });
  await alice.process.event('connected');
  const { identity } = await egress.process.event('connected');
  equal(identity, 'spiffe://example.org/client/alice', 'the identity that the egress proved');
  stage.held('one session, both ends proven', `the egress knows ${String(identity)}`);
  return { egress, alice };
}

async function fetchText(port: number, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(requestTimeoutMs) });
  return response.text();
}

async function web({ alice }: Scene): Promise<void> {
  stage.act('A web site, as if it were local');
  const port = alice.port('web');
  stage.command(`curl http://127.0.0.1:${port}/news`);
  const body = await fetchText(port, '/news');
  equal(body, `hello from 127.0.0.1:${port}/news\n`, 'the answer of the web site');
  stage.held(`"${body.trim()}"`, 'the rule "developers" allows web');
}

async function denied({ egress, alice, forbidden }: Scene): Promise<void> {
  stage.act('A place that no rule allows');
  const destination = `127.0.0.1:${forbidden.port}`;
  stage.command(
    `nc 127.0.0.1 ${alice.port(destination)}      # the forward to ${destination}, where something does listen`,
  );
  const socket = net.connect({ port: alice.port(destination), host: '127.0.0.1' });
  const [error] = await within(
    'the end of the connection that is not allowed',
    once(socket, 'error') as Promise<[NodeJS.ErrnoException]>,
  );
  equal(error.code, 'ECONNRESET', 'what the client sees');
  const { code, reason } = await alice.process.event('refused', { destination });
  equal(code, 'POLICY_DENIED', 'the code of the refusal');
  stage.held('reset, never closed as if it were complete; the log of each half says why');
  stage.quote(`ingress  ${String(code)}: ${String(reason)}`);
  const record = await egress.process.event('stream', { requested: destination });
  equal(record['verdict'], 'deny', 'the verdict in the access record');
  stage.quote(`egress   ${String(record['code'])}: ${String(record['reason'])}`);
  equal(forbidden.reached(), 0, 'connections that reached the forbidden service');
  stage.held('the forbidden service saw no connection');
}

/** One HTTPS request through the tunnel, with the service's own CA: the certificate that the client saw. */
function certificateSeen(port: number, ca: string): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const request = https.get(
      {
        host: '127.0.0.1',
        port,
        servername: 'shop.test',
        ca: readFileSync(ca),
        agent: false,
        headers: { host: 'shop.test' },
      },
      (response) => {
        const leaf = (response.socket as TLSSocket).getPeerX509Certificate();
        response.resume().once('end', () => {
          if (leaf) resolve(leaf);
          else reject(new Error('the TLS service showed no certificate'));
        });
      },
    );
    request.on('error', reject);
  });
}

async function shop({ folder, alice }: Scene): Promise<void> {
  stage.act('TLS of the client passes through untouched');
  stage.command(
    `curl --cacert shop-ca.crt --connect-to shop.test:443:127.0.0.1:${alice.port('shop')} https://shop.test/`,
  );
  const seen = await within(
    'the request to the TLS service',
    certificateSeen(alice.port('shop'), join(folder, 'service/ca.crt')),
  );
  const [own, edge] = ['service/shop.crt', 'edge.crt'].map(
    (file) => new X509Certificate(readFileSync(join(folder, file))).fingerprint256,
  );
  equal(seen.fingerprint256, own, 'the fingerprint of the certificate that the client saw');
  check(seen.fingerprint256 !== edge, 'the client saw the certificate of the egress');
  stage.held('the client saw the certificate of the service itself', `SHA-256 ${seen.fingerprint256.slice(0, 23)}...`);
}

/** Downloads that many bytes from the source; fails unless they are complete and correct. */
async function fetchBytes({ ready }: Scene, port: number, size: number): Promise<Downloaded> {
  const result = await download(port, size, (bytes) =>
    stage.progress(bytes / size, `${Math.round(bytes / mib)} of ${size / mib} MiB`),
  );
  equal(result.bytes, size, 'bytes that arrived');
  equal(result.sha256, ready.sha256[size], 'their SHA-256');
  return result;
}

async function transfer(scene: Scene): Promise<void> {
  stage.act('1 GiB');
  const port = scene.alice.port('bytes');
  stage.command(`echo ${largeBytes} | nc 127.0.0.1 ${port} | sha256sum`);
  const { sha256, seconds } = await fetchBytes(scene, port, largeBytes);
  stage.held(
    `${((largeBytes * 8) / seconds / 1e9).toFixed(2)} Gbit/s, and the SHA-256 is the one of the service`,
    `${sha256.slice(0, 16)}...`,
  );
  stage.aside(
    `One TCP connection, ${seconds.toFixed(2)} s from connecting to the last byte hashed. The service, both ` +
      'halves and the client share the',
  );
  stage.aside(
    `${availableParallelism()} cores of this machine. "npm run bench" measures with more care, beside other tunnels.`,
  );
}

async function cuts(scene: Scene): Promise<void> {
  stage.act('The network breaks, three times, in the middle of a transfer');
  const network = await BadNetwork.open(scene.egress.port, cutAfterBytes);
  try {
    const ingress = await startIngress(scene.folder, 'alice', { egressPort: network.port, to: ['bytes'] });
    const { seconds } = await fetchBytes(scene, ingress.port('bytes'), cutBytes);
    equal(network.breaks, cutAfterBytes.length, 'times that the network broke');
    await ingress.process.event('connected', { resumed: true }, cutAfterBytes.length);
    const lost = ingress.process.events('detached');
    equal(lost.length, cutAfterBytes.length, 'times that the session lost its connection');
    stage.held(
      `the connection between the halves was reset ${lost.length} times`,
      `ingress: "${String(lost[0]?.['reason'])}"`,
    );
    stage.held(
      `one local connection lived through it: ${cutBytes / mib} MiB, each byte once and in order`,
      `SHA-256 right, ${seconds.toFixed(2)} s in all`,
    );
    equal((await ingress.process.stop()).code, 0, 'exit status of the ingress on the bad network');
  } finally {
    network.close();
  }
}

async function revocation({ folder, egress }: Scene): Promise<void> {
  stage.act('A certificate is revoked');
  const where = { egressPort: egress.port, to: ['web'] };
  const open = await startIngress(folder, 'mallory', where);
  await fetchText(open.port('web'), '/');
  stage.held('mallory is connected and reads the web site');
  stage.command('adit ca revoke mallory --reason keyCompromise');
  await adit(folder, 'ca', 'revoke', 'mallory', '--reason', 'keyCompromise', '--dir', '@ca');
  await egress.process.event('reloaded', { what: 'certificates' });
  equal(
    (await within('the end of the open session of mallory', open.process.exit)).code,
    4,
    'exit status of an ingress whose certificate was revoked',
  );
  stage.held('the egress reads the new list by itself and ends the open session');
  stage.command('adit ingress --cert mallory.crt --key mallory.key ...');
  const again = await startIngress(folder, 'mallory', where);
  const { code } = await within('the end of the second ingress of mallory', again.process.exit);
  const refusal = again.process.events('denied')[0];
  equal(refusal?.['code'], 'CLIENT_CERT_REVOKED', 'why it was denied');
  stage.quote(String(refusal?.['msg']));
  equal(code, 4, 'exit status of an ingress with a revoked certificate');
  stage.held('denied for good: exit status 4');
}

async function curtain({ egress, alice, services, forbidden }: Scene): Promise<void> {
  stage.act('The end');
  await fetchText(alice.port('web'), '/');
  equal(alice.process.events('connected').length, 1, 'sessions of alice');
  stage.held('alice has noticed nothing of all that: still the same session');
  for (const half of [alice, egress]) equal((await half.process.stop()).code, 0, `exit status of ${half.process.name}`);
  equal(forbidden.reached(), 0, 'connections that reached the forbidden service');
  stage.held('both halves drained and exited with status 0');
  forbidden.close();
  await services.stop();
}

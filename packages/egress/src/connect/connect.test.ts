import { randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type net from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { connectHttp1, connectHttp2, http2Connection, type Tunnel } from '../../../../test/support/connect-client.ts';
import { certificates, type KeyPair } from '../../../../test/support/certificates.ts';
import { integer } from '../../../../test/support/issuer.ts';
import { allowLoopback, testEgress, type TestEgress } from '../../../../test/support/in-process.ts';
import { within } from '../../../../test/support/scope.ts';
import { closedPort, echo, hashing, receive, service } from '../../../../test/support/services.ts';

type Ask = (egress: TestEgress, pair: KeyPair | undefined, target: string) => Promise<Tunnel>;

const ways: readonly [string, Ask][] = [
  ['HTTP/1.1', connectHttp1],
  ['HTTP/2', async (egress, pair, target) => connectHttp2(await http2Connection(egress, pair), target)],
];

describe.each(ways)('CONNECT by %s', (_name, ask) => {
  const connect = async (egress: TestEgress, target: string): Promise<Tunnel> =>
    ask(egress, egress.certs.client('alice'), target);

  test('carries bytes both ways, each half-close by itself, and leaves one record', async () => {
    const egress = await testEgress();
    const to = await hashing(); // answers after the end only
    const { status, headers, duplex, received } = await connect(egress, to.at);
    expect([status, headers.get('proxy-status')]).toEqual([200, 'adit']);
    duplex.end('hello');
    expect(await within(15_000, 'the end', received)).toEqual({
      bytes: Buffer.from('5 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'),
      ending: 'end',
    });
    expect(await egress.recorded()).toMatchObject({
      identity: 'spiffe://example.org/client/alice',
      frontEnd: 'connect',
      remote: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      requested: to.at,
      resolved: to.at,
      rule: 'everyone',
      verdict: 'allow',
      end: 'finished',
      bytesUp: 5,
      bytesDown: 66,
    });
  });

  test('a service that ends first is still heard and written to', async () => {
    const egress = await testEgress();
    let got!: (bytes: string) => void;
    const written = new Promise<string>((resolve) => {
      got = resolve;
    });
    const to = await service((socket) => {
      socket.end('banner');
      void receive(socket).then(({ bytes }) => got(bytes.toString()));
    });
    const { duplex, received } = await connect(egress, to.at);
    expect(await within(15_000, 'the end', received)).toEqual({ bytes: Buffer.from('banner'), ending: 'end' });
    duplex.end('afterwards');
    expect(await within(15_000, 'the late bytes', written)).toBe('afterwards');
    expect(await egress.recorded()).toMatchObject({ end: 'finished', bytesUp: 10, bytesDown: 6 });
  });

  test('a reset of the service is a reset of the tunnel, and the other way round', async () => {
    const egress = await testEgress();
    const sockets: net.Socket[] = [];
    const to = await service((socket) => {
      sockets.push(socket);
    });
    const one = await connect(egress, to.at);
    one.duplex.write('x');
    await once(sockets[0]!, 'data');
    sockets[0]!.resetAndDestroy();
    expect((await within(15_000, 'the reset', one.received)).ending).toBe('reset');
    const other = await connect(egress, to.at);
    other.duplex.write('x');
    const seen = receive(sockets[1]!);
    await once(sockets[1]!, 'data');
    other.reset();
    expect((await within(15_000, 'the reset', seen)).ending).toBe('reset');
    expect((await egress.recorded((record) => record.bytesUp === 1 && record.code !== undefined)).end).toBe('reset');
  });

  test('ten megabytes go each way past a slow reader', async () => {
    const egress = await testEgress();
    const bytes = randomBytes(10_000_000);
    const to = await echo();
    const { duplex, received } = await connect(egress, to.at);
    duplex.pause();
    duplex.end(bytes);
    setImmediate(() => duplex.resume());
    expect((await within(60_000, 'the echo', received)).bytes.equals(bytes)).toBe(true);
  });

  test.each([
    [
      'what the policy forbids',
      () => '127.0.0.2:1',
      { status: 403, error: 'http_request_denied', code: 'POLICY_DENIED' },
    ],
    [
      'a service that is not defined',
      () => 'nothing.adit.internal:80',
      { status: 404, error: 'destination_not_found', code: 'UNKNOWN_SERVICE' },
    ],
    [
      'a port where nobody listens',
      async () => `127.0.0.1:${await closedPort()}`,
      { status: 502, error: 'connection_refused', code: 'CONNECTION_REFUSED' },
    ],
    [
      'a name that does not resolve',
      () => 'nowhere.invalid:80',
      { status: 502, error: 'dns_error', code: 'DNS_FAILED' },
    ],
    ['a target that is none', () => 'a%b:1', { status: 400, error: 'http_request_error', code: 'PROTOCOL_ERROR' }],
  ])('%s is refused by status, Proxy-Status and a text', async (_what, target, { status, error, code }) => {
    const egress = await testEgress({
      policy: `${allowLoopback}  - name: nowhere\n    identities: ["*"]\n    allow: ["nowhere.invalid:80"]\n`,
    });
    const answer = await connect(egress, await target());
    expect([answer.status, answer.headers.get('proxy-status')]).toEqual([
      status,
      expect.stringMatching(new RegExp(`^adit; error=${error}; details=".+"; adit-code=${code}$`)),
    ]);
    expect(answer.text).toMatch(new RegExp(`^${code}: .+\n`));
  });

  test('a client without a certificate is refused with the reason', async () => {
    const egress = await testEgress();
    const answer = await ask(egress, undefined, '127.0.0.1:1');
    expect([answer.status, answer.text]).toEqual([
      403,
      expect.stringMatching(/^CLIENT_CERT_MISSING: it presented no certificate\n/),
    ]);
    expect(await egress.until((line) => line.event === 'denied')).toMatchObject({
      code: 'CLIENT_CERT_MISSING',
      remote: expect.stringMatching(/^127\.0\.0\.1:/),
    });
  });

  test('a client that no rule knows is refused with the reason', async () => {
    const egress = await testEgress({ policy: allowLoopback.replace('"*"', 'bob') });
    expect((await connect(egress, '127.0.0.1:1')).text).toMatch(/^IDENTITY_NOT_IN_POLICY: /);
  });

  test('a service is reached by its name', async () => {
    const to = await echo();
    const egress = await testEgress({
      policy:
        `version: 1\nservices:\n  echo: tcp://${to.at}\nrules:\n  - name: everyone\n    identities: ["*"]\n    ` +
        'allow: [echo]\n',
    });
    const { status, duplex } = await connect(egress, 'echo.adit.internal:80');
    expect(status).toBe(200);
    duplex.end();
    expect(await egress.recorded()).toMatchObject({ requested: 'echo', resolved: to.at });
  });

  test('a policy that takes a destination away resets its tunnels', async () => {
    const egress = await testEgress();
    const to = await echo();
    const { received } = await connect(egress, to.at);
    writeFileSync(egress.policyFile, allowLoopback.replace('127.0.0.1:*', '127.0.0.1:1'));
    expect((await within(15_000, 'the reset', received)).ending).toBe('reset');
    expect(await egress.recorded()).toMatchObject({ end: 'cut', code: 'POLICY_RELOADED' });
  });

  test('a policy that no longer knows the client resets its tunnels and turns it away', async () => {
    const egress = await testEgress();
    const { received } = await connect(egress, (await echo()).at);
    writeFileSync(egress.policyFile, allowLoopback.replace('"*"', 'bob'));
    expect((await within(15_000, 'the reset', received)).ending).toBe('reset');
    expect(await egress.until((line) => line.event === 'denied')).toMatchObject({ code: 'IDENTITY_NOT_IN_POLICY' });
  });

  test('a certificate that is revoked loses its tunnels', async () => {
    const certs = certificates();
    const crl = certs.revoke({});
    const egress = await testEgress({ certs, crl });
    const alice = certs.client('alice');
    const { received } = await ask(egress, alice, (await echo()).at);
    certs.revoke({ serials: [integer(new X509Certificate(readFileSync(alice.cert)).serialNumber)] });
    expect((await within(15_000, 'the reset', received)).ending).toBe('reset');
    expect(await egress.recorded()).toMatchObject({ end: 'cut', code: 'REVOKED' });
  });

  test('the limit of one identity counts tunnels, and frees itself when they are gone', async () => {
    const egress = await testEgress({ maxStreamsPerIdentity: 1 });
    const to = await echo();
    const first = await connect(egress, to.at);
    const second = await connect(egress, to.at);
    expect([second.status, second.headers.get('retry-after'), second.text]).toEqual([
      503,
      '1',
      expect.stringMatching(/^LIMIT_STREAMS: /),
    ]);
    first.duplex.end();
    await first.received;
    await to.idle();
    // the connection closes in its own time
    for (let status = 0; status !== 200;) ({ status } = await connect(egress, to.at));
  });

  test('tunnels that come to nothing count for the identity: one too many, and it is sent away', async () => {
    const egress = await testEgress({ maxFailedStreamsPerIdentity: 1, maxSessionsPerIdentity: 100 });
    const alice = egress.certs.client('alice');
    const nobody = `127.0.0.1:${await closedPort()}`;
    const answers: string[] = [];
    for (let n = 0; n < 40 && answers.at(-1) !== 'EXCESSIVE'; n++) {
      const { text } = await ask(egress, alice, nobody);
      answers.push(text.slice(0, text.indexOf(':')));
    }
    expect(answers.length).toBeGreaterThan(20);
    expect(answers.at(-1)).toBe('EXCESSIVE');
    expect((await ask(egress, alice, nobody)).status).toBe(429);
    expect((await ask(egress, egress.certs.client('bob'), (await echo()).at)).status).toBe(200);
  });

  test('a drain waits for what is open, and refuses what comes', async () => {
    const egress = await testEgress();
    const to = await echo();
    const { duplex, received } = await connect(egress, to.at);
    const drained = egress.server.drain(new AbortController().signal);
    duplex.end('last words');
    expect(await within(15_000, 'the echo', received)).toEqual({ bytes: Buffer.from('last words'), ending: 'end' });
    await within(15_000, 'the drain', drained);
    expect(await egress.recorded()).toMatchObject({ end: 'finished' });
  });

  test('a drain that takes too long resets what is left', async () => {
    const egress = await testEgress({ drainTimeoutMs: 50 });
    const to = await echo();
    const { received } = await connect(egress, to.at);
    await egress.server.drain(new AbortController().signal);
    expect((await within(15_000, 'the reset', received)).ending).toBe('reset');
    expect(await egress.recorded()).toMatchObject({ end: 'cut', code: 'DRAINING' });
  });
});

import { writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { dialTls } from '@adit/shared/carrier/tls';
import { loadCredentials } from '@adit/shared/identity/credentials';
import { loadTrustAnchors } from '@adit/shared/identity/trust';
import { ask, chunkFrom, client, closedPort, echo } from '../../../../test/support/services.ts';
import { memoryLog, testEgress, type TestEgress } from '../../../../test/support/in-process.ts';
import { testIngress, type TestIngress } from '../../../../test/support/in-process-ingress.ts';
import { atEnd, temporaryFolder, within } from '../../../../test/support/scope.ts';
import { Egresses } from './egresses.ts';
import { Link } from './link.ts';

const at = ({ port }: { port: number }) => ({ kind: 'address', host: '127.0.0.1', port }) as const;

async function two(
  select: 'priority' | 'round-robin',
): Promise<{ first: TestEgress; second: TestEgress; ingress: TestIngress }> {
  const first = await testEgress();
  const second = await testEgress({ certs: first.certs });
  const ingress = await testIngress(first, first.certs.client('alice'), {
    to: (await echo()).at,
    egress: [at(first), at(second)],
    select,
  });
  for (const egress of [first, second])
    await ingress.until((line) => line.event === 'connected' && line['egress'] === `127.0.0.1:${egress.port}`);
  return { first, second, ingress };
}

test('by priority, the first that is up takes every stream, and the next one when it is gone', async () => {
  const { first, second, ingress } = await two('priority');
  for (const n of [1, 2]) expect(await ask(ingress.port, `${n}`)).toBe(`${n}`);
  await first.recorded((record) => record.stream === 3);
  expect(second.records).toHaveLength(0);
  first.server.close();
  await ingress.until((line) => line.event === 'disconnected');
  expect(await ask(ingress.port, 'elsewhere')).toBe('elsewhere');
  await second.recorded();
});

test('round-robin, those that are up take turns', async () => {
  const { first, second, ingress } = await two('round-robin');
  for (let n = 0; n < 4; n++) await ask(ingress.port, 'x');
  await first.recorded((record) => record.stream === 3);
  await second.recorded((record) => record.stream === 3);
});

test('a live stream stays with its egress while new ones go elsewhere', async () => {
  const { first, second, ingress } = await two('priority');
  const { socket } = await client(ingress.port);
  socket.write('a');
  await chunkFrom(socket);
  const drained = first.server.drain(new AbortController().signal);
  await ingress.until((line) => line.event === 'draining');
  expect(await ask(ingress.port, 'new')).toBe('new');
  await second.recorded();
  socket.write('b');
  expect(String(await chunkFrom(socket))).toBe('b');
  socket.destroy();
  await drained;
});

test('an egress that never answers does not delay the others', async () => {
  const egress = await testEgress();
  const ingress = await testIngress(egress, egress.certs.client('alice'), {
    to: (await echo()).at,
    egress: [at({ port: await closedPort() }), at(egress)],
  });
  expect(await ask(ingress.port, 'x')).toBe('x');
});

test('one egress that denies us for good leaves the others; all of them end the ingress', async () => {
  const nobody = 'version: 1\nrules:\n  - name: none\n    identities: [somebody-else]\n    allow: ["127.0.0.1:*"]\n';
  const good = await testEgress();
  const denying = await testEgress({ certs: { ...good.certs, folder: temporaryFolder() }, policy: nobody });
  const ingress = await testIngress(good, good.certs.client('alice'), {
    to: (await echo()).at,
    egress: [at(denying), at(good)],
  });
  expect(await ingress.until((line) => line.event === 'denied')).toMatchObject({ code: 'IDENTITY_NOT_IN_POLICY' });
  expect(await ask(ingress.port, 'x')).toBe('x');
  const alone = await testIngress(denying, good.certs.client('alice'), { to: '127.0.0.1:1', egress: [at(denying)] });
  expect(await alone.running).toMatchObject({ code: 'IDENTITY_NOT_IN_POLICY' });
});

test('a swap moves the session to a fresh carrier and no byte is lost', async () => {
  const egress = await testEgress();
  const ingress = await testIngress(egress, egress.certs.client('alice'), { to: (await echo()).at });
  const { socket } = await client(ingress.port);
  for (const round of [1, 2, 3]) {
    socket.write(`round ${round}`);
    expect(String(await chunkFrom(socket))).toBe(`round ${round}`);
    await ingress.agent.swap('a test');
  }
  socket.write('after');
  expect(String(await chunkFrom(socket))).toBe('after');
  expect(
    ingress.lines.filter((line) => line.event === 'connected' && line['resumed'] === true).length,
  ).toBeGreaterThanOrEqual(3);
});

test('many swaps at once are one swap', async () => {
  const egress = await testEgress();
  const ingress = await testIngress(egress, egress.certs.client('alice'), { to: (await echo()).at });
  const { socket } = await client(ingress.port);
  socket.write('a');
  await chunkFrom(socket);
  await Promise.all(Array.from({ length: 20 }, () => ingress.agent.swap('a test')));
  socket.write('b');
  expect(String(await chunkFrom(socket))).toBe('b');
  expect(egress.lines.filter((line) => line.event === 'connected')).toHaveLength(2);
  socket.destroy();
});

const egressOf = (name: string): string =>
  `version: 1\nrules:\n  - name: one\n    identities: [${name}]\n    allow: ["127.0.0.1:*"]\n`;

test('an egress that denied us for good is asked again after a reload, and takes its place in the order', async () => {
  const backup = await testEgress();
  const first = await testEgress({
    certs: { ...backup.certs, folder: temporaryFolder() },
    policy: egressOf('renamed'),
  });
  const pair = backup.certs.client('alice');
  const ingress = await testIngress(backup, pair, { to: (await echo()).at, egress: [at(first), at(backup)] });
  expect(await ingress.until((line) => line.event === 'denied')).toMatchObject({
    code: 'IDENTITY_NOT_IN_POLICY',
    egress: `127.0.0.1:${first.port}`,
  });
  await ingress.until((line) => line.event === 'connected');
  const { issued } = backup.certs.client('renamed');
  writeFileSync(pair.key, issued.keyPem);
  writeFileSync(pair.cert, issued.certPem);
  ingress.agent.reload('a test');
  await ingress.until((line) => line.event === 'connected' && line['egress'] === `127.0.0.1:${first.port}`);
  expect(await ask(ingress.port, 'preferred')).toBe('preferred');
  await first.recorded();
});

test('a reload that changes nothing asks again, and the answer may be the same', async () => {
  const good = await testEgress();
  const denying = await testEgress({
    certs: { ...good.certs, folder: temporaryFolder() },
    policy: egressOf('somebody-else'),
  });
  const ingress = await testIngress(good, good.certs.client('alice'), {
    to: (await echo()).at,
    egress: [at(denying), at(good)],
  });
  await ingress.until((line) => line.event === 'denied');
  await ingress.until((line) => line.event === 'connected');
  ingress.agent.reload('a test');
  await ingress.until(() => ingress.lines.filter((line) => line.event === 'denied').length === 2);
  expect(await ask(ingress.port, 'x')).toBe('x');
});

test('the ingress is denied for good when every listed egress has denied it', async () => {
  const good = await testEgress();
  const denying = await testEgress({
    certs: { ...good.certs, folder: temporaryFolder() },
    policy: egressOf('somebody-else'),
  });
  const { log, until } = memoryLog();
  const pair = good.certs.client('alice');
  const egresses = new Egresses({
    selection: 'priority',
    connectTimeoutMs: 1_000,
    maxWaiting: 1,
    log,
    makeLink: ({ host, port }, onUsable) =>
      new Link({
        name: `${host}:${port}`,
        answered: () => {},
        onUsable,
        handshakeTimeoutMs: 30_000,
        maxCarrierAgeMs: 0,
        window: 262_144,
        replayLimitBytes: 1 << 20,
        agent: 'test',
        log,
        lanes: 1,
        dialBeside: () => Promise.reject(new Error('there is one lane')),
        dial: (signal) =>
          dialTls({
            host,
            port,
            serverName: '127.0.0.1',
            credentials: loadCredentials({ ...pair, role: 'client' }),
            ca: loadTrustAnchors(good.certs.ca),
            deadlineMs: 30_000,
            signal,
          }),
      }),
  });
  atEnd(() => egresses.stop());
  const outcome = egresses.run().catch((error: unknown) => error);
  egresses.update([at(denying), at(good)]);
  await until((line) => line.event === 'denied');
  egresses.update([at(denying)]);
  expect(await within(30_000, 'the outcome', outcome)).toMatchObject({ code: 'IDENTITY_NOT_IN_POLICY' });
});

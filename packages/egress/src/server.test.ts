import { writeFileSync } from 'node:fs';
import type { TLSSocket } from 'node:tls';
import { expect, test } from '@jest/globals';
import { factsOf } from '@adit/shared/identity/peer';
import { EgressServer } from './server.ts';
import { certificates } from '../../../test/support/certificates.ts';
import { day, newServer } from '../../../test/support/issuer.ts';
import { allowLoopback, memoryLog, testCarrier, testEgress, testSession } from '../../../test/support/in-process.ts';

test('does not start without a policy', () => {
  const certs = certificates();
  const options = {
    listen: [{ listen: { kind: 'tcp', host: '127.0.0.1', port: 0 }, spec: '' }],
    listenHttp: [],
    wsPath: '/adit',
    acceptProxyProtocol: [],
    cert: certs.egress.cert,
    key: certs.egress.key,
    clientCa: certs.ca,
    policy: `${certs.folder}/none.yaml`,
    handshakeTimeoutMs: 1,
    dialTimeoutMs: 1,
    idleTimeoutMs: 0,
    drainTimeoutMs: 0,
    maxStreams: 1,
    maxStreamsPerIdentity: 1,
    maxSessionsPerIdentity: 1,
    maxLanesPerSession: 8,
    maxFailedStreamsPerIdentity: 500,
    maxWaitingPerIdentity: 1 << 28,
    maxHandshakes: 1,
    resumeWindowMs: 0,
    maxDetachedPerIdentity: 1,
    maxReplayPerSession: 1 << 20,
    maxReplayPerIdentity: 1 << 20,
    maxReplay: 1 << 20,
    congestion: 'auto',
    reloadSignal: 'auto',
    logLevel: 'info',
    logFormat: 'json',
    check: false,
  } as const;
  expect(
    () =>
      new EgressServer(options, {
        log: memoryLog().log,
        agent: 'test',
        record: () => {
          throw new Error('nothing to record');
        },
      }),
  ).toThrow(expect.objectContaining({ code: 'POLICY_INVALID' }));
});

test('a new certificate is used by the next carrier, and the sessions that are open stay', async () => {
  const egress = await testEgress();
  const session = await testSession(egress, egress.certs.client('alice'));
  egress.certs.write('edge', newServer(egress.certs.authority, { serial: '5a' }));
  await egress.until((line) => line.event === 'reloaded' && line['what'] === 'certificates');
  const carrier = await testCarrier(egress, egress.certs.client('alice'));
  expect(factsOf(carrier.duplex as TLSSocket).leaf?.serialNumber).toBe('5A');
  carrier.duplex.destroy();
  expect(session.driver.attached).toBe(true);
});

test('a bad certificate keeps the old one in force and says so', async () => {
  const egress = await testEgress();
  writeFileSync(egress.certs.egress.cert, 'not a certificate');
  expect(await egress.until((line) => line.event === 'reload-failed')).toMatchObject({
    what: 'certificates',
    code: 'CREDENTIALS_UNUSABLE',
  });
  await testSession(egress, egress.certs.client('alice'));
});

test('a policy that changes while the egress begins to listen is put in force', async () => {
  const certs = certificates();
  const starting = testEgress({ certs });
  writeFileSync(
    `${certs.folder}/policy.yaml`,
    'version: 1\nrules:\n  - name: bob\n    identities: [bob]\n    allow: ["127.0.0.1:*"]\n',
  );
  const egress = await starting;
  await egress.until((line) => line.event === 'reloaded' && line['what'] === 'policy');
  await expect(testSession(egress, certs.client('alice'))).rejects.toMatchObject({ code: 'IDENTITY_NOT_IN_POLICY' });
});

test('a revocation list that ends soon is said at the start, and no longer when a new one is loaded', async () => {
  const certs = certificates();
  const egress = await testEgress({
    certs,
    crl: certs.revoke({ thisUpdate: new Date(Date.now() - 90 * day), nextUpdate: new Date(Date.now() + 10 * day) }),
  });
  const said = (): unknown[] => egress.lines.filter(({ event }) => event === 'expiring').map(({ what }) => what);
  expect(said()).toEqual(['revocation list']);
  certs.revoke({});
  void egress.server.reload('a test');
  expect(said()).toEqual(['revocation list']);
});

test('a reload says what it reloaded and nothing else: one line for the file that changed', async () => {
  const egress = await testEgress();
  const reloads = (): unknown[] => egress.lines.filter(({ event }) => event === 'reloaded').map(({ what }) => what);
  egress.certs.write('edge', newServer(egress.certs.authority, { serial: '5b' }));
  await egress.until((line) => line.event === 'reloaded');
  writeFileSync(`${egress.certs.folder}/policy.yaml`, `${allowLoopback}# changed\n`);
  await egress.until((line) => line.event === 'reloaded' && line['what'] === 'policy');
  expect(reloads()).toEqual(['certificates', 'policy']);
  void egress.server.reload('SIGHUP');
  await egress.until((line) => line['cause'] === 'SIGHUP' && line['what'] === 'policy');
  expect(new Set(reloads().slice(2))).toEqual(new Set(['certificates', 'policy']));
});

test('an egress whose own certificate ends while it runs says so at that moment', async () => {
  const certs = certificates();
  const to = new Date(Math.ceil(Date.now() / 1_000 + 2) * 1_000);
  certs.write('edge', newServer(certs.authority, { from: new Date(Date.now() - day), to }));
  const egress = await testEgress({ certs });
  expect(await egress.until(({ event, level }) => event === 'expiring' && level === 'error')).toMatchObject({
    what: 'certificate',
    until: to.toISOString(),
  });
});

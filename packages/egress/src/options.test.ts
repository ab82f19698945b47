import { expect, test } from '@jest/globals';
import { resolveEgressOptions } from './options.ts';

const flags = { cert: ['edge.crt'], key: ['edge.key'], clientCa: ['ca.crt'], policy: ['policy.yaml'] };

test('an egress needs certificate, key, client CA and policy, and has a default for everything else', () => {
  expect(resolveEgressOptions({ flags, environment: {} })).toEqual({
    listen: [{ listen: { kind: 'tcp', host: '127.0.0.1', port: 8443 }, spec: '127.0.0.1:8443' }],
    listenHttp: [],
    wsPath: '/.well-known/adit',
    acceptProxyProtocol: [],
    cert: 'edge.crt',
    key: 'edge.key',
    clientCa: 'ca.crt',
    policy: 'policy.yaml',
    handshakeTimeoutMs: 10_000,
    dialTimeoutMs: 10_000,
    idleTimeoutMs: 0,
    drainTimeoutMs: 30_000,
    maxStreams: 65_536,
    maxStreamsPerIdentity: 4_096,
    maxSessionsPerIdentity: 32,
    maxLanesPerSession: 8,
    maxFailedStreamsPerIdentity: 500,
    maxHandshakes: 256,
    resumeWindowMs: 300_000,
    maxDetachedPerIdentity: 8,
    maxWaitingPerIdentity: 256 * 1024 ** 2,
    maxReplayPerSession: 8 * 1024 ** 2,
    congestion: 'auto',
    maxReplayPerIdentity: 64 * 1024 ** 2,
    maxReplay: 512 * 1024 ** 2,
    reloadSignal: 'auto',
    logLevel: 'info',
    logFormat: 'auto',
    check: false,
  });
  for (const field of Object.keys(flags))
    expect(() => resolveEgressOptions({ flags: { ...flags, [field]: undefined }, environment: {} })).toThrow(
      expect.objectContaining({ code: 'USAGE', exitStatus: 2 }),
    );
});

test('a certificate for services needs its key', () => {
  expect(
    resolveEgressOptions({
      flags: { ...flags, serviceCa: ['a'], serviceCert: ['c'], serviceKey: ['k'] },
      environment: {},
    }),
  ).toMatchObject({ serviceCa: 'a', serviceCert: 'c', serviceKey: 'k' });
  for (const [given, missing] of [
    ['serviceCert', 'key'],
    ['serviceKey', 'cert'],
  ] as const) {
    expect(() => resolveEgressOptions({ flags: { ...flags, [given]: ['x'] }, environment: {} })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: `--service-cert and --service-key belong together: --service-${missing} is missing`,
      }),
    );
  }
});

test('listens on addresses, Unix sockets and sockets of systemd, with or without PROXY headers', () => {
  expect(
    resolveEgressOptions({
      flags: { ...flags, listen: ['*:8443', './e.sock?accept-proxy'], listenHttp: ['systemd:http'] },
      environment: {},
    }),
  ).toMatchObject({
    listen: [
      { listen: { kind: 'tcp', host: '::' } },
      { listen: { kind: 'unix', path: './e.sock' }, acceptProxy: true },
    ],
    listenHttp: [{ listen: { kind: 'systemd', name: 'http' } }],
  });
});

test('the limits that protect from silent peers cannot be switched off', () => {
  for (const field of ['handshakeTimeout', 'dialTimeout', 'maxHandshakes', 'maxStreams'])
    expect(() => resolveEgressOptions({ flags: { ...flags, [field]: ['0'] }, environment: {} })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  expect(
    resolveEgressOptions({ flags: { ...flags, idleTimeout: ['0'], drainTimeout: ['0'] }, environment: {} }),
  ).toMatchObject({ idleTimeoutMs: 0, drainTimeoutMs: 0 });
});

import { expect, test } from '@jest/globals';
import { resolveIngressOptions } from './options.ts';

const flags = { egress: ['tunnel.example.org:8443'], cert: ['alice.crt'], key: ['alice.key'], ca: ['ca.crt'], forward: ['8080:web'] };

test('an ingress needs egress, certificate, key, CA and one forward, and has a default for everything else', () => {
  expect(resolveIngressOptions({ flags, environment: {} })).toEqual({
    egress: [{ kind: 'address', host: 'tunnel.example.org', port: 8443 }], select: 'priority', carrier: 'auto', wsPath: '/.well-known/adit', headers: [], maxCarrierAgeMs: 0, maxReplayPerSession: 8 * 1024 ** 2, cert: 'alice.crt', key: 'alice.key', ca: 'ca.crt',
    forwards: [{ listen: { kind: 'tcp', host: '127.0.0.1', port: 8080 }, destination: { kind: 'service', service: 'web' }, spec: '8080:web' }],
    connectTimeoutMs: 10_000, idleTimeoutMs: 0, drainTimeoutMs: 5_000, logLevel: 'info', logFormat: 'auto', check: false,
  });
  for (const field of Object.keys(flags)) expect(() => resolveIngressOptions({ flags: { ...flags, [field]: undefined }, environment: {} })).toThrow(expect.objectContaining({ code: 'USAGE', exitStatus: 2 }));
});

test('two forwards cannot listen in the same place; two that let the kernel choose can', () => {
  expect(() => resolveIngressOptions({ flags: { ...flags, forward: ['8080:web', '127.0.0.1:8080:db:80'] }, environment: {} })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message: '--forward "127.0.0.1:8080:db:80" listens where "8080:web" does' }));
  expect(() => resolveIngressOptions({ flags: { ...flags, forward: ['x.sock:web', './x.sock:db:80'] }, environment: {} })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  expect(resolveIngressOptions({ flags: { ...flags, forward: ['0:web', '0:db:80', '8080:web', '127.0.0.2:8080:web'] }, environment: {} }).forwards).toHaveLength(4);
});

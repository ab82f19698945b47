import { expect, test } from '@jest/globals';
import { resolveIngressOptions, resolveRules } from './options.ts';

const flags = {
  egress: ['tunnel.example.org:8443'],
  cert: ['alice.crt'],
  key: ['alice.key'],
  ca: ['ca.crt'],
  forward: ['8080:web'],
};

test(
  'an ingress needs egress, certificate, key, CA and something to listen on, and has a default for everything ' +
    'else',
  () => {
    expect(resolveIngressOptions({ flags, environment: {} })).toEqual({
      egress: [{ kind: 'address', host: 'tunnel.example.org', port: 8443 }],
      select: 'priority',
      carrier: 'auto',
      congestion: 'auto',
      wsPath: '/.well-known/adit',
      headers: [],
      maxCarrierAgeMs: 0,
      maxReplayPerSession: 8 * 1024 ** 2,
      lanes: 'auto',
      cert: 'alice.crt',
      key: 'alice.key',
      ca: 'ca.crt',
      forwards: [
        {
          listen: { kind: 'tcp', host: '127.0.0.1', port: 8080 },
          destination: { kind: 'service', service: 'web' },
          spec: '8080:web',
        },
      ],
      socks: [],
      httpProxy: [],
      mixed: [],
      sni: [],
      sniRoutes: [],
      tlsListen: [],
      tlsCerts: [],
      tlsKeys: [],
      tlsAlpn: [],
      transparent: [],
      printRules: false,
      connectTimeoutMs: 10_000,
      idleTimeoutMs: 0,
      drainTimeoutMs: 5_000,
      reloadSignal: 'auto',
      logLevel: 'info',
      logFormat: 'auto',
      check: false,
    });
    for (const field of Object.keys(flags))
      expect(() => resolveIngressOptions({ flags: { ...flags, [field]: undefined }, environment: {} })).toThrow(
        expect.objectContaining({ code: 'USAGE', exitStatus: 2 }),
      );
  },
);

test('printing rules needs transparent listeners and nothing else, and takes nothing that is wrong', () => {
  const rules = (given: Record<string, string[]>, environment: Record<string, string> = {}): unknown =>
    resolveRules({ flags: given, environment });
  const transparent = [{ listen: { kind: 'tcp', host: '::', port: 4000 }, tproxy: true, spec: '*:4000?tproxy' }];
  expect(rules({ transparent: ['*:4000?tproxy'], printRules: ['true'] })).toEqual(transparent);
  expect(rules({}, { ADIT_TRANSPARENT: '*:4000?tproxy', ADIT_PRINT_RULES: 'true' })).toEqual(transparent);
  expect(rules({ transparent: ['4000'] })).toBeUndefined();
  expect(rules({ transparent: ['4000'] }, { ADIT_PRINT_RULES: 'false' })).toBeUndefined();
  expect(() => rules({ transparent: ['4000?accept-proxy'], printRules: ['true'] })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  );
});

test('the proxy of the environment counts where no option says anything about a proxy', () => {
  const resolve = (
    more: Record<string, string[]>,
    environment: Record<string, string>,
  ): ReturnType<typeof resolveIngressOptions> => resolveIngressOptions({ flags: { ...flags, ...more }, environment });
  for (const more of [{ proxy: ['http://proxy.example.org:3128'] }, { proxy: ['none'] }, { proxyFile: ['p'] }])
    expect(resolve(more, { HTTPS_PROXY: 'nonsense://' })).not.toHaveProperty('environmentProxy');
  expect(resolve({}, { HTTPS_PROXY: 'http://proxy.example.org:3128', NO_PROXY: 'x' })).toMatchObject({
    environmentProxy: { proxy: { scheme: 'http', host: 'proxy.example.org', port: 3128 }, except: 'x' },
  });
});

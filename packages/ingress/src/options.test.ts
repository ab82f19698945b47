import { describe, expect, test } from '@jest/globals';
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
      wsPath: '/.well-known/adit',
      headers: [],
      maxCarrierAgeMs: 0,
      maxReplayPerSession: 8 * 1024 ** 2,
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

test('two forwards cannot listen in the same place; two that let the kernel choose can', () => {
  expect(() =>
    resolveIngressOptions({ flags: { ...flags, forward: ['8080:web', '127.0.0.1:8080:db:80'] }, environment: {} }),
  ).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: '--forward "127.0.0.1:8080:db:80" listens where --forward "8080:web" does',
    }),
  );
  expect(() =>
    resolveIngressOptions({ flags: { ...flags, forward: ['x.sock:web', './x.sock:db:80'] }, environment: {} }),
  ).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  expect(
    resolveIngressOptions({
      flags: { ...flags, forward: ['0:web', '0:db:80', '8080:web', '127.0.0.2:8080:web'] },
      environment: {},
    }).forwards,
  ).toHaveLength(4);
});

describe('a local proxy', () => {
  const resolve = (more: Record<string, string[]>): ReturnType<typeof resolveIngressOptions> =>
    resolveIngressOptions({ flags: { ...flags, forward: undefined, ...more }, environment: {} });

  test('alone is something to listen on, on loopback unless told otherwise', () => {
    expect(resolve({ socks: ['1080', '*:1081'] })).toMatchObject({
      forwards: [],
      socks: [
        { listen: { kind: 'tcp', host: '127.0.0.1', port: 1080 }, spec: '1080' },
        { listen: { host: '::', port: 1081 } },
      ],
    });
    expect(resolve({ httpProxy: ['3128'], httpProxyAuthFile: ['users'] })).toMatchObject({
      httpProxy: [{ listen: { port: 3128 } }],
      httpProxyAuthFile: 'users',
    });
    expect(resolve({ controlSocket: ['./c'] })).toMatchObject({ forwards: [], controlSocket: './c' });
    expect(resolve({ mixed: ['./proxy.sock'] })).toMatchObject({
      mixed: [{ listen: { kind: 'unix', path: './proxy.sock' } }],
    });
  });

  test.each([
    [
      {},
      'USAGE',
      /^there is nothing to listen on: give --forward, --socks, --http-proxy, --mixed, --sni, --tls-listen, --transparent or --control-socket/,
    ],
    [
      { forward: ['./c:web'], controlSocket: ['c'] },
      'CONFIG_INVALID',
      /^--control-socket "c" listens where --forward ".\/c:web" does$/,
    ],
    [{ controlSocket: ['none'] }, 'USAGE', /^there is nothing to listen on/],
    [
      { socks: ['systemd:a'], mixed: ['systemd:a'] },
      'CONFIG_INVALID',
      /^--mixed "systemd:a" listens where --socks "systemd:a" does$/,
    ],
    [
      { socks: ['1080'], mixed: ['127.0.0.1:1080'] },
      'CONFIG_INVALID',
      /^--mixed "127.0.0.1:1080" listens where --socks "1080" does$/,
    ],
    [
      { forward: ['1080:web'], httpProxy: ['1080'] },
      'CONFIG_INVALID',
      /^--http-proxy "1080" listens where --forward "1080:web" does$/,
    ],
    [
      { httpProxy: ['3128'], socksAuthFile: ['users'] },
      'CONFIG_INVALID',
      /^--socks-auth-file is for --socks and --mixed/,
    ],
    [{ socks: ['1080'], httpProxyAuthFile: ['users'] }, 'CONFIG_INVALID', /^--http-proxy-auth-file is for/],
    [{ mixed: ['1080'], socksAuthFile: ['users'] }, 'CONFIG_INVALID', /--http-proxy-auth-file is missing/],
    [{ socks: ['1080:web:80'] }, 'CONFIG_INVALID', /^--socks "1080:web:80": too many colons/],
  ])('is refused where it cannot be: %j', (more, code, message) =>
    expect(() => resolve(more)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) })),
  );
});

test('rules are printed for the listeners alone; nothing else has to be given, and what is given has to be right', () => {
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
  expect(() =>
    resolveIngressOptions({
      flags: { ...flags, forward: undefined, socks: ['4000'], transparent: ['127.0.0.1:4000?tproxy'] },
      environment: {},
    }),
  ).toThrow(
    expect.objectContaining({ message: '--transparent "127.0.0.1:4000?tproxy" listens where --socks "4000" does' }),
  );
});

describe('a proxy', () => {
  const resolve = (
    more: Record<string, string[]>,
    environment: Record<string, string> = {},
  ): ReturnType<typeof resolveIngressOptions> => resolveIngressOptions({ flags: { ...flags, ...more }, environment });
  const corporate = { scheme: 'http', host: 'proxy.example.org', port: 3128 };

  test('comes from its options, or else from the environment', () => {
    for (const more of [{ proxy: ['http://proxy.example.org:3128'] }, { proxy: ['none'] }, { proxyFile: ['p'] }])
      expect(resolve(more, { HTTPS_PROXY: 'nonsense://' })).not.toHaveProperty('environmentProxy');
    expect(resolve({ proxy: ['http://proxy.example.org:3128'] })).toMatchObject({ proxy: corporate });
    expect(resolve({ proxy: ['none'] })).toMatchObject({ proxy: 'none' });
    expect(resolve({}, { ADIT_PROXY: 'socks5://alice:hunter2@proxy.example.org:3128' })).toMatchObject({
      proxy: { ...corporate, scheme: 'socks5', credentials: { user: 'alice', password: 'hunter2' } },
    });
    expect(resolve({}, { HTTPS_PROXY: 'http://proxy.example.org:3128', NO_PROXY: 'x' })).toMatchObject({
      environmentProxy: { proxy: corporate, except: 'x' },
    });
  });

  test.each([
    [
      { proxy: ['http://alice:hunter2@proxy.example.org:3128'] },
      'USAGE',
      /^--proxy: every user of this machine can read a password on the command line; .* --proxy-file/,
    ],
    [
      { proxy: ['ftp://alice:hunter2@proxy'] },
      'CONFIG_INVALID',
      /^--proxy "ftp:\/\/\*\*\*@proxy": a proxy is not asked by ftp/,
    ],
    [
      { proxy: ['http://proxy'], proxyFile: ['p'] },
      'CONFIG_INVALID',
      /^--proxy and --proxy-file both name a proxy: keep one$/,
    ],
    [{ proxyKey: ['k'] }, 'CONFIG_INVALID', /^--proxy-cert and --proxy-key belong together: --proxy-cert is missing$/],
    [{ proxyCert: ['c'] }, 'CONFIG_INVALID', /--proxy-key is missing$/],
  ])('is refused where it is wrong, without its password: %j', (more, code, message) => {
    const attempt = (): unknown => resolve(more);
    expect(attempt).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
    expect(attempt).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }));
  });
});

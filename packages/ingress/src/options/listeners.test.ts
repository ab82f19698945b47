import { describe, expect, test } from '@jest/globals';
import { resolveIngressOptions } from '../options.ts';

const flags = { egress: ['tunnel.example.org:8443'], cert: ['alice.crt'], key: ['alice.key'], ca: ['ca.crt'] };

function resolve(more: Record<string, string[]>): ReturnType<typeof resolveIngressOptions> {
  return resolveIngressOptions({ flags: { ...flags, ...more }, environment: {} });
}

test('two forwards cannot listen in the same place; two that let the kernel choose can', () => {
  expect(() => resolve({ forward: ['8080:web', '127.0.0.1:8080:db:80'] })).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: '--forward "127.0.0.1:8080:db:80" listens where --forward "8080:web" does',
    }),
  );
  expect(() => resolve({ forward: ['x.sock:web', './x.sock:db:80'] })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  );
  expect(resolve({ forward: ['0:web', '0:db:80', '8080:web', '127.0.0.2:8080:web'] }).forwards).toHaveLength(4);
});

test('a transparent listener cannot listen where another does', () => {
  expect(() => resolve({ socks: ['4000'], transparent: ['127.0.0.1:4000?tproxy'] })).toThrow(
    expect.objectContaining({ message: '--transparent "127.0.0.1:4000?tproxy" listens where --socks "4000" does' }),
  );
});

describe('a local proxy', () => {
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

  test('is one of the things to listen on that a complaint about none of them names', () =>
    expect(() => resolve({})).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: expect.stringContaining(
          'there is nothing to listen on: give --forward, --socks, --http-proxy, --mixed, --sni, --tls-listen, ' +
            '--transparent or --control-socket',
        ),
      }),
    ));

  test.each([
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

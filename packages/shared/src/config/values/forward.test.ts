import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatDestination, formatHostPort } from '../../protocol/destination.ts';
import { parseForward, type Forward } from './forward.ts';

const tcp = (host: string, port: number): Forward['listen'] => ({ kind: 'tcp', host, port });
const unix = (path: string): Forward['listen'] => ({ kind: 'unix', path });
const to = (host: string, port: number): Forward['destination'] => ({ kind: 'host', host, port });
const web: Forward['destination'] = { kind: 'service', service: 'web' };

/** The forward with its bind address spelt out. */
function spelt({ listen, acceptProxy, destination }: Omit<Forward, 'spec'>): string {
  const place =
    listen.kind === 'unix'
      ? listen.path
      : listen.kind === 'systemd'
        ? `systemd:${listen.name}`
        : formatHostPort(listen.host, listen.port);
  return `${place}${acceptProxy ? '?accept-proxy' : ''}:${formatDestination(destination)}`;
}

describe('a forward', () => {
  test.each<[string, Forward['listen'], Forward['destination']]>([
    ['5432:db.internal:5432', tcp('127.0.0.1', 5432), to('db.internal', 5432)],
    ['8080:web', tcp('127.0.0.1', 8080), web],
    ['0:web', tcp('127.0.0.1', 0), web],
    ['127.0.0.1:8080:web', tcp('127.0.0.1', 8080), web],
    ['localhost:8080:web', tcp('localhost', 8080), web],
    ['*:8080:web', tcp('::', 8080), web],
    [':8080:web', tcp('::', 8080), web],
    [':8080:db:80', tcp('::', 8080), to('db', 80)],
    ['0.0.0.0:5432:db:5432', tcp('0.0.0.0', 5432), to('db', 5432)],
    ['[::1]:8080:[fd00::5]:80', tcp('::1', 8080), to('fd00::5', 80)],
    ['8080:[fd00::5]:80', tcp('127.0.0.1', 8080), to('fd00::5', 80)],
    ['./docker.sock:docker.internal:2375', unix('./docker.sock'), to('docker.internal', 2375)],
    ['docker.sock:web', unix('docker.sock'), web],
    ['/run/adit/db:[fd00::5]:5432', unix('/run/adit/db'), to('fd00::5', 5432)],
  ])('"%s"', (spec, listen, destination) => {
    expect(parseForward(spec)).toEqual({ ok: true, value: { listen, destination, spec } });
  });

  test.each<[string, Forward['listen'], Forward['destination']]>([
    ['8080?accept-proxy:web', tcp('127.0.0.1', 8080), web],
    ['8080?accept-proxy:db:80', tcp('127.0.0.1', 8080), to('db', 80)],
    ['[::1]:8080?accept-proxy:[fd00::5]:80', tcp('::1', 8080), to('fd00::5', 80)],
    ['x.sock?accept-proxy:db:80', unix('x.sock'), to('db', 80)],
    ['systemd:web?accept-proxy:web', { kind: 'systemd', name: 'web' }, web],
  ])('"%s" takes connections that begin with a PROXY header', (spec, listen, destination) => {
    expect(parseForward(spec)).toEqual({ ok: true, value: { listen, acceptProxy: true, destination, spec } });
  });

  test.each<[string, string, Forward['destination']]>([
    ['systemd:db:db.internal:5432', 'db', to('db.internal', 5432)],
    ['systemd:web:web', 'web', web],
    ['systemd:80:db:80', '80', to('db', 80)],
    ['systemd:adit.socket:web', 'adit.socket', web],
  ])('"%s" listens on a socket of systemd', (spec, name, destination) => {
    expect(parseForward(spec)).toEqual({ ok: true, value: { listen: { kind: 'systemd', name }, destination, spec } });
  });

  test.each<[string, Forward['listen'], string, number]>([
    ['8443:tls://db.internal:443', tcp('127.0.0.1', 8443), 'db.internal', 443],
    ['*:8443:tls://[fd00::5]:443', tcp('::', 8443), 'fd00::5', 443],
    ['[::1]:8443:tls://db:443', tcp('::1', 8443), 'db', 443],
    ['./x.sock:tls://db:443', unix('./x.sock'), 'db', 443],
    ['systemd:web:tls://db:443', { kind: 'systemd', name: 'web' }, 'db', 443],
  ])('"%s" has the egress speak TLS', (spec, listen, host, port) => {
    const forward = { listen, destination: { kind: 'host' as const, host, port, tls: true as const } };
    expect(parseForward(spec)).toEqual({ ok: true, value: { ...forward, spec } });
    expect(parseForward(spelt(forward))).toMatchObject({ ok: true, value: forward });
  });

  test('of a configuration file has its socket beside that file', () => {
    expect(parseForward('docker.sock:web', '/etc/adit')).toEqual({
      ok: true,
      value: { listen: unix('/etc/adit/docker.sock'), destination: web, spec: 'docker.sock:web' },
    });
    expect(parseForward('/run/x.sock:web', '/etc/adit')).toMatchObject({ value: { listen: unix('/run/x.sock') } });
  });

  test.each([
    ['', 'incomplete'],
    ['8080', 'incomplete'],
    ['8080:80', 'incomplete'],
    ['host:22', 'incomplete'],
    ['x.sock', 'incomplete'],
    ['8080:db:0', 'the port'],
    ['8080:db:99999', 'the port'],
    ['99999:web', 'the local port'],
    ['-1:web', 'the local port'],
    ['08:web', 'the local port'],
    ['db:5432:5432:web', 'too many colons'],
    ['8080::80', 'the host is missing'],
    ['8080:', 'the destination is missing'],
    ['8080:Web', 'lower-case'],
    ['8080:db:web', 'the local port'],
    ['8080:web/', 'neither'],
    ['::1:8080:web', 'IPv6 address goes in brackets'],
    ['8080:fd00::5:80', 'IPv6 address goes in brackets'],
    ['[::1:8080:web', 'bracket'],
    ['::1]:8080:web', 'bracket'],
    ['[::1]x:80:web', 'bracket'],
    ['[127.0.0.1]:80:web', 'only an IPv6'],
    ['[x:y]:80:web', 'the bind address'],
    ['tls://db:443', 'the local port'],
    ['8443:tls://web', 'the policy of the egress says'],
    ['8443:tls://db', 'the policy of the egress says'],
    ['8443:tls://db:0', 'the port'],
    ['8443:TLS://db:1', 'tls:// is written in lower case'],
    ['8053:udp://db:53', 'UDP is not forwarded'],
    ['8443:tcp://db:53', 'write HOST:PORT alone'],
    ['./x.sock:http://web', 'write HOST:PORT alone'],
    ['a:b:c:tls://db:443', 'too many colons'],
    [':tls://db:443', 'the local port'],
    ['8443:tls://tls://db:443', 'IPv6'],
    ['8080?accept:web', 'is not an option of a listener'],
    ['127.0.0.1?accept-proxy:8080:web', 'the bind address'],
    ['8080:web?accept-proxy', 'neither'],
    ['systemd:web', 'incomplete'],
    ['systemd::web', 'the name is missing'],
    ['systemd:?accept-proxy:web', 'the name is missing'],
    ['systemd:a:b:c:80', 'IPv6 address goes in brackets'],
    ['./:web', 'ends in a slash'],
    ['a\0b.sock:web', 'NUL'],
    [`/${'x'.repeat(120)}:web`, 'at most 103 fit'],
  ])('"%s" is refused: %s', (spec, reason) => {
    expect(parseForward(spec)).toEqual({ ok: false, reason: expect.stringContaining(reason) });
  });

  test('never throws, never listens beyond loopback unless told, and reads back as itself', () => {
    const word = fc.constantFrom(
      '8080',
      '0',
      '80',
      'web',
      'db.internal',
      '[::1]',
      '[fd00::5]',
      '*',
      '',
      ':',
      '::',
      '127.0.0.1',
      './x.sock',
      'a.sock',
      'systemd',
      '80?accept-proxy',
      'a.sock?accept-proxy',
      'tls',
      '//db',
      'tls://db',
      '?',
      '[',
      ']',
      '-1',
      ' ',
      '\0',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join(':')),
        ),
        (spec) => {
          const result = parseForward(spec);
          if (!result.ok) return void expect(result.reason).not.toBe('');
          const { listen, acceptProxy, destination } = result.value;
          if (listen.kind === 'tcp' && listen.host !== '127.0.0.1')
            expect(
              spec.startsWith('*') || spec.startsWith(':') || spec.startsWith('[') || /^[^:]+:\d+[:?]/.test(spec),
            ).toBe(true);
          expect(parseForward(spelt(result.value))).toMatchObject({
            ok: true,
            value: { listen, ...(acceptProxy && { acceptProxy }), destination },
          });
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

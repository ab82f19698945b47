import { describe, expect, it, test } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../../../test/support/characters.ts';
import {
  addressFamily,
  destinationOfHost,
  formatDestination,
  isServiceName,
  parseAnyDestination,
  parseDestination,
  parseHost,
  parsePort,
  type Destination,
} from './destination.ts';

const hostOf = (text: string): string | undefined => {
  const parsed = parseHost(text);
  return parsed.ok ? parsed.value : undefined;
};
const anything = fc.oneof(
  fc.string(),
  fc.string({ unit: anyCharacter }),
  fc.domain(),
  fc.ipV4Extended(),
  fc.ipV6(),
  fc.string({ unit: fc.constantFrom(...'aZ09-_.:[]/%x \0') }),
);
const canonicalHost = fc
  .oneof(fc.domain(), fc.ipV4(), fc.ipV6())
  .map(hostOf)
  .filter((host) => host !== undefined);
const service = fc.stringMatching(/^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/);
const destination: fc.Arbitrary<Destination> = fc.oneof(
  fc.record({ kind: fc.constant('host' as const), host: canonicalHost, port: fc.integer({ min: 1, max: 65535 }) }),
  fc.record({ kind: fc.constant('service' as const), service }),
);

describe('hosts', () => {
  it.each([
    ['DB.Internal', 'db.internal'],
    ['db.internal.', 'db.internal'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['my_service', 'my_service'],
    ['_srv.example', '_srv.example'],
    ['1.2.3.4', '1.2.3.4'],
    ['FD00::1', 'fd00::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::FFFF:7F00:1', '127.0.0.1'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
    ['3com.example', '3com.example'],
    ['1.2.3.4.example', '1.2.3.4.example'],
    [`${'a'.repeat(63)}.b`, `${'a'.repeat(63)}.b`],
    [`${'a.'.repeat(126)}a`, `${'a.'.repeat(126)}a`],
    [`${'a.'.repeat(126)}a.`, `${'a.'.repeat(126)}a`],
  ])('reads %j as %s', (given, canonical) => {
    expect(parseHost(given)).toEqual({ ok: true, value: canonical });
  });

  it.each([
    '127.1',
    '2130706433',
    '0x7f000001',
    '0X7F.1',
    '0177.0.0.1',
    '010.0.0.1',
    '127.0.0.0x1',
    '127.0.0.1.',
    '1.2.3.4.5',
    'foo.0x',
    '10',
    '256.256.256.256',
  ])('does not let a resolver take %j for an address', (given) => {
    expect(parseHost(given)).toEqual({
      ok: false,
      reason: 'the host looks like an address but is not one: write IPv4 as four decimal numbers without leading zeros',
    });
  });

  it.each([
    ['', 'the host is missing'],
    ['.', 'the host is missing'],
    ['a..b', 'the host name has an empty label'],
    ['.a', 'the host name has an empty label'],
    ['a\0.example', 'the host has a control character or a space'],
    ['a b', 'the host has a control character or a space'],
    ['a\n', 'the host has a control character or a space'],
    ['a\u0085', 'the host has a control character or a space'],
    ['bücher.example', 'the host name is not ASCII: write its A-label (xn--...)'],
    ['127。0。0。1', 'the host name is not ASCII: write its A-label (xn--...)'],
    ['ⓔxample.com', 'the host name is not ASCII: write its A-label (xn--...)'],
    [`${'a'.repeat(64)}.b`, 'the host name has a label longer than 63 characters'],
    ['a.'.repeat(127) + 'aa', 'the host name is longer than 253 characters'],
    [`${'a.'.repeat(126)}aa`, 'the host name is longer than 253 characters'],
    ['fe80::1%eth0', 'the host has a colon and is not an IPv6 address'],
    ['[::1]', 'the host has a colon and is not an IPv6 address'],
  ])('refuses %j and says why', (given, reason) => {
    expect(parseHost(given)).toEqual({ ok: false, reason });
  });

  it.each(['-a.example', 'a-.example', 'a/b', 'user@host', 'a%2eb', '*.example', 'a,b', '1.2.3.4/8'])(
    'refuses %j as a name',
    (given) => {
      expect(parseHost(given).ok).toBe(false);
    },
  );

  it('have one spelling: what is read is read again as itself', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const host = hostOf(text);
        if (host !== undefined) {
          expect(hostOf(host)).toBe(host);
          expect(host).toMatch(/^[a-z0-9_.:-]+$/);
          expect(host.startsWith('::ffff:') && addressFamily(host) === 6 && host.includes('.')).toBe(false);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('destinations', () => {
  it('read back as they are written', () => {
    fc.assert(
      fc.property(destination, (value) => {
        expect(parseDestination(formatDestination(value))).toEqual({ ok: true, value });
      }),
    );
  });

  it('never throw, and have one spelling, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anything,
          fc.tuple(anything, fc.oneof(fc.nat(70000).map(String), fc.string())).map(([host, port]) => `${host}:${port}`),
        ),
        (text) => {
          const parsed = parseDestination(text);
          if (parsed.ok) expect(parseDestination(formatDestination(parsed.value))).toEqual(parsed);
          else expect(parsed.reason.length).toBeGreaterThan(10);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['Db.Internal.:5432', { kind: 'host', host: 'db.internal', port: 5432 }],
    ['10.0.0.1:22', { kind: 'host', host: '10.0.0.1', port: 22 }],
    ['[FD00::1]:22', { kind: 'host', host: 'fd00::1', port: 22 }],
    ['[::ffff:10.0.0.1]:22', { kind: 'host', host: '10.0.0.1', port: 22 }],
    ['web', { kind: 'service', service: 'web' }],
    ['h2', { kind: 'service', service: 'h2' }],
  ])('read %j', (given, value) => {
    expect(parseDestination(given)).toEqual({ ok: true, value });
  });

  it.each([
    ['', 'the destination is missing'],
    ['db.internal', 'the port is missing: write HOST:PORT'],
    ['10.0.0.1', 'the port is missing: write HOST:PORT'],
    ['::1', 'the port is missing: write [ADDRESS]:PORT'],
    ['[::1]', 'the port is missing: write [ADDRESS]:PORT'],
    ['fd00::1:22', 'the port is missing: write [ADDRESS]:PORT'],
    ['1:2:3:4:5:6:7:8:22', 'an IPv6 address goes in brackets: [ADDRESS]:PORT'],
    ['[10.0.0.1]:22', 'only an IPv6 address goes in brackets: [ADDRESS]:PORT'],
    ['db:', 'the port is missing'],
    [':22', 'the host is missing'],
    ['db:0', 'the port is not a number from 1 to 65535'],
    ['db:65536', 'the port is not a number from 1 to 65535'],
    ['db:022', 'the port is not a number from 1 to 65535'],
    ['db:+22', 'the port is not a number from 1 to 65535'],
    ['db:22 ', 'the port is not a number from 1 to 65535'],
    ['WEB', 'service names are lower-case'],
    ['-web', 'it is neither HOST:PORT nor the name of a service'],
    ['8080', 'it is neither HOST:PORT nor the name of a service'],
  ])('refuse %j and say why', (given, reason) => {
    expect(parseDestination(given)).toEqual({ ok: false, reason });
  });
});

describe('service names', () => {
  it('are 1 to 63 of a-z, 0-9 and inner dashes with a letter among them', () => {
    expect(['web', 'w', 'a-b', '9p', 'a'.repeat(63)].every(isServiceName)).toBe(true);
    expect(['', '80', '-a', 'a-', 'A', 'a.b', 'a_b', 'a:1', 'a'.repeat(64), 'a\n'].some(isServiceName)).toBe(false);
  });
  it('are never ports', () => {
    fc.assert(
      fc.property(fc.nat(99999).map(String), (text) => {
        expect(isServiceName(text) && parsePort(text).ok).toBe(false);
      }),
    );
  });
});

test('a host below adit.internal is the service of that name, every other one is a host', () => {
  expect(destinationOfHost('web.adit.internal', 80)).toEqual({ ok: true, value: { kind: 'service', service: 'web' } });
  for (const host of ['adit.internal', 'web.adit.internal.example', '10.0.0.1', '::1'])
    expect(destinationOfHost(host, 80)).toEqual({ ok: true, value: { kind: 'host', host, port: 80 } });
  for (const host of ['a.b.adit.internal', '10.adit.internal', '_x.adit.internal'])
    expect(destinationOfHost(host, 80)).toMatchObject({ ok: false });
});

test('tls:// before a host and port asks for TLS, and reads back as itself', () => {
  fc.assert(
    fc.property(destination, (plain) => {
      expect(parseAnyDestination(formatDestination(plain))).toEqual({ ok: true, value: plain });
      const secured = parseAnyDestination(`tls://${formatDestination(plain)}`);
      if (plain.kind === 'service')
        expect(secured).toEqual({ ok: false, reason: expect.stringContaining('the policy of the egress says') });
      else {
        expect(secured).toEqual({ ok: true, value: { ...plain, tls: true } });
        expect(formatDestination({ ...plain, tls: true })).toBe(`tls://${formatDestination(plain)}`);
      }
      expect(parseDestination(`tls://${formatDestination(plain)}`).ok).toBe(false);
    }),
  );
});

test.each([
  ['udp://db:53', 'UDP is not forwarded (docs/out-of-scope.md)'],
  ['tcp://db:5432', 'tcp:// is not written: write HOST:PORT alone'],
  ['https://web.internal/', 'https:// is not written: write HOST:PORT alone'],
  ['TLS://db:443', 'tls:// is written in lower case'],
])('a scheme other than tls:// is refused with what to write: %s', (text, reason) => {
  expect(parseAnyDestination(text)).toEqual({ ok: false, reason });
});

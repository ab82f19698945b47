import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeOpen, encodeOpen, frontEndKinds } from './open.ts';
import { ProtocolFault } from './refusal.ts';

const host = fc.oneof(fc.ipV4(), fc.constantFrom('db.internal', 'a.b', '::1', 'fd00::5'));

test('a destination and its claims come back', () => {
  fc.assert(
    fc.property(
      host,
      fc.integer({ min: 1, max: 65535 }),
      fc.option(fc.constantFrom(...frontEndKinds), { nil: undefined }),
      fc.option(fc.constantFrom({ host: '127.0.0.1', port: 1 }, { host: '::1', port: 2 }, 'local' as const), {
        nil: undefined,
      }),
      (name, port, frontEnd, client) => {
        const request = {
          destination: { kind: 'host' as const, host: name, port },
          ...(frontEnd && { frontEnd }),
          ...(client && { client }),
        };
        expect(decodeOpen(encodeOpen(request))).toEqual({ ok: true, request });
      },
    ),
  );
  expect(decodeOpen(encodeOpen({ destination: { kind: 'service', service: 'web' } }))).toEqual({
    ok: true,
    request: { destination: { kind: 'service', service: 'web' } },
  });
});

test('0010: the client, and no client where the claim is not understood', () => {
  const request = { destination: { kind: 'service' as const, service: 'web' } };
  const client = { host: '192.0.2.7', port: 51_234 };
  expect(Buffer.from(encodeOpen({ ...request, client })).toString('hex')).toBe(
    '80030003776562' + '0010000704c0000207c822',
  );
  expect(decodeOpen(Buffer.from('80030003776562' + '001000050963757474', 'hex'))).toEqual({ ok: true, request });
});

test('8001 host, 8002 port', () =>
  expect(Buffer.from(encodeOpen({ destination: { kind: 'host', host: 'db', port: 5432 } })).toString('hex')).toBe(
    '800100026462' + '800200021538',
  ));

test('8004: over TLS, which only a host can be asked for', () => {
  const request = { destination: { kind: 'host' as const, host: 'db', port: 5432, tls: true as const } };
  expect(Buffer.from(encodeOpen(request)).toString('hex')).toBe('800100026462' + '800200021538' + '80040000');
  expect(decodeOpen(encodeOpen(request))).toEqual({ ok: true, request });
});

test('0013: an application protocol', () => {
  const request = { destination: { kind: 'service' as const, service: 'web' }, alpn: 'h2' };
  expect(Buffer.from(encodeOpen(request)).toString('hex')).toBe('80030003776562' + '001300026832');
  expect(decodeOpen(encodeOpen(request))).toEqual({ ok: true, request });
  for (const bad of [
    '00130000',
    `00130100${'61'.repeat(256)}`,
    `001300ff${'ff'.repeat(255)}`,
    '0013000268c3',
    '001300026800',
  ])
    expect(() => decodeOpen(Buffer.from(`80030003776562${bad}`, 'hex'))).toThrow(ProtocolFault);
});

test.each([
  ['a critical option that nobody knows', '80990000', 'unsupported'],
  ['TLS with something that nobody knows', '800100026462' + '800200021538' + '8004000100', 'unsupported'],
  ['TLS to a service', '8003000377656280040000', 'invalid'],
  ['nothing', '', 'invalid'],
  ['a host without a port', '800100026462', 'invalid'],
  ['port 0', '800100026462800200020000', 'invalid'],
  ['a host and a service', '8001000264628002000215388003000377' + '6562', 'invalid'],
  [
    'an address that resolvers read otherwise',
    '80010009' + Buffer.from('127.0.0.1').toString('hex').replace('31323', '30313') + '800200020050',
    'invalid',
  ],
  ['a NUL in the host', '80010003640062800200020050', 'invalid'],
])('%s is refused', (_what, hex, why) => expect(decodeOpen(Buffer.from(hex, 'hex'))).toMatchObject({ ok: false, why }));

test('an option that is not critical and not known is skipped', () =>
  expect(decodeOpen(Buffer.from('8003000377656200ff0000', 'hex'))).toMatchObject({ ok: true }));

test('malformed options are a fault of the session', () =>
  expect(() => decodeOpen(Uint8Array.of(0x80))).toThrow(ProtocolFault));

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatHostPort } from '../../protocol/destination.ts';
import { parseDialAddress, parseListenAddress, parseListenPort, parseServerName } from './host-port.ts';

const host = fc.oneof(
  fc.ipV4(),
  fc.constantFrom('::1', '::', 'fd00::5', 'fe80::1:2'),
  fc.domain().map((name) => name.toLowerCase()),
);

describe('an address to listen on', () => {
  test.each([
    ['127.0.0.1:8443', '127.0.0.1', 8443],
    ['0.0.0.0:0', '0.0.0.0', 0],
    ['[::1]:8443', '::1', 8443],
    ['[::]:1', '::', 1],
    ['localhost:80', 'localhost', 80],
    ['*:8443', '::', 8443],
  ])('"%s"', (text, host, port) => {
    expect(parseListenAddress(text)).toEqual({ ok: true, value: { host, port } });
  });
  test('without a host is refused, and the advice says how to mean every address', () => {
    expect(parseListenAddress(':8443')).toEqual({
      ok: false,
      reason: 'the host is missing: write 127.0.0.1:8443 for this machine only, *:8443 for every address it has',
    });
  });
  test.each([
    '',
    ':',
    '8443',
    'localhost',
    '127.0.0.1',
    '*',
    '::1:8443',
    '[::1]',
    '[::1]8443',
    '[127.0.0.1]:1',
    '[*]:1',
    '127.0.0.1:65536',
    '127.0.0.1:-1',
    '127.0.0.1:01',
    '127.0.0.1:00',
    '127.0.0.1:',
    '127.0.0.1: 1',
    '10.1:80',
    'a b:1',
    'a\0:1',
    '*:x',
    '*.example.org:80',
  ])('"%s" is refused', (text) => {
    expect(parseListenAddress(text)).toEqual({ ok: false, reason: expect.stringMatching(/./) });
  });
  test('reads back every host and port', () => {
    fc.assert(
      fc.property(host, fc.integer({ min: 0, max: 65535 }), (name, port) => {
        expect(parseListenAddress(formatHostPort(name, port))).toEqual({ ok: true, value: { host: name, port } });
      }),
    );
  });
  test('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[[\]:*.0-9a-f]{0,20}$/)), (text) => {
        for (const parse of [parseListenAddress, parseDialAddress, parseServerName, parseListenPort]) {
          const result = parse(text);
          if (!result.ok) expect(result.reason).not.toBe('');
        }
      }),
    );
  });
});

describe('an address to connect to', () => {
  test('has a port from 1, and a host that can be dialled', () => {
    expect(parseDialAddress('Tunnel.Example.org:8443')).toEqual({
      ok: true,
      value: { host: 'tunnel.example.org', port: 8443 },
    });
    expect(parseDialAddress('[fd00::5]:443')).toEqual({ ok: true, value: { host: 'fd00::5', port: 443 } });
    for (const text of [
      'tunnel.example.org:0',
      'tunnel',
      'tunnel.example.org',
      '*:443',
      ':443',
      'https://tunnel:443',
      'tunnel:443/',
    ])
      expect(parseDialAddress(text).ok).toBe(false);
    expect(parseDialAddress('tunnel')).toEqual({ ok: false, reason: 'the port is missing: write HOST:PORT' });
  });
});

test('a server name is a name or an address, without port and brackets', () => {
  expect(parseServerName('tunnel.example.org')).toEqual({ ok: true, value: 'tunnel.example.org' });
  expect(parseServerName('10.0.0.5')).toEqual({ ok: true, value: '10.0.0.5' });
  for (const text of ['', 'a:443', '[::1]', 'a b', '*']) expect(parseServerName(text).ok).toBe(false);
});

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatEgress, parseEgressAddress } from './egress-address.ts';

test('an address is host and port, a SRV name is looked up', () => {
  expect(parseEgressAddress('Tunnel.example.org:8443')).toEqual({
    ok: true,
    value: { kind: 'address', host: 'tunnel.example.org', port: 8443 },
  });
  expect(parseEgressAddress('srv:_adit._tcp.Example.org.')).toEqual({
    ok: true,
    value: { kind: 'srv', name: '_adit._tcp.example.org' },
  });
});

test('anything else is refused with what to write', () => {
  for (const text of [
    'srv:',
    'srv:example.org',
    'srv:_adit._udp.example.org',
    'srv:_adit._tcp',
    'srv:_adit._tcp.a b',
    'tunnel',
    '',
  ])
    expect(parseEgressAddress(text)).toEqual({ ok: false, reason: expect.stringMatching(/write|empty|missing|./) });
  expect(parseEgressAddress('srv:example.org')).toEqual({
    ok: false,
    reason: 'not a SRV name: write srv:_adit._tcp.example.org',
  });
});

test.each([
  ['wss://Tunnel.example.org', { host: 'tunnel.example.org', port: 443 }, 'wss://tunnel.example.org'],
  ['wss://tunnel.example.org/', { host: 'tunnel.example.org', port: 443 }, 'wss://tunnel.example.org'],
  [
    'wss://tunnel.example.org:8443/a/b',
    { host: 'tunnel.example.org', port: 8443, path: '/a/b' },
    'wss://tunnel.example.org:8443/a/b',
  ],
  ['WSS://[::1]/a', { host: '::1', port: 443, path: '/a' }, 'wss://[::1]/a'],
])('%s is a WebSocket', (text, value, name) => {
  const address = parseEgressAddress(text);
  expect(address).toEqual({ ok: true, value: { kind: 'websocket', ...value } });
  if (address.ok && address.value.kind !== 'srv') expect(formatEgress(address.value)).toBe(name);
});

test.each([
  ['ws://a', /not at ws:/],
  ['https://a', /wss:\/\/HOST/],
  ['wss://u:p@a', /do not belong/],
  ['wss://a?b', /no query/],
  ['wss://a/b?c', /no query/],
  ['wss://a:0', /port/],
  ['wss://', /./],
  ['wss://a b', /./],
])('%s is none, and no password is repeated', (text, reason) => {
  expect(parseEgressAddress(text)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
});

test('an address is told by host and port', () => {
  expect(formatEgress({ kind: 'address', host: '::1', port: 1 })).toBe('[::1]:1');
});

test('never throws, whatever the text', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `srv:${text}`),
        fc.string().map((text) => `wss://${text}`),
      ),
      (text) => {
        expect(typeof parseEgressAddress(text).ok).toBe('boolean');
      },
    ),
  );
});

test.each([
  ['connect://proxy.example.org:3128', { kind: 'connect', host: 'proxy.example.org', port: 3128 }],
  ['CONNECT+H2://[2001:db8::1]:443', { kind: 'connect+h2', host: '2001:db8::1', port: 443 }],
])('%s is a CONNECT proxy', (text, value) => {
  const address = parseEgressAddress(text);
  expect(address).toEqual({ ok: true, value });
  expect(address.ok && address.value.kind !== 'srv' && formatEgress(address.value)).toBe(text.toLowerCase());
});

test.each([
  'connect://proxy.example.org',
  'connect://proxy.example.org:3128/path',
  'connect+h2://user@proxy.example.org:3128',
  'connect+h3://proxy.example.org:1',
])('%s is none', (text) => {
  expect(parseEgressAddress(text).ok).toBe(false);
});

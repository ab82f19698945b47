import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseEgressAddress } from './egress-address.ts';

test('an address is host and port, a SRV name is looked up', () => {
  expect(parseEgressAddress('Tunnel.example.org:8443')).toEqual({ ok: true, value: { kind: 'address', host: 'tunnel.example.org', port: 8443 } });
  expect(parseEgressAddress('srv:_adit._tcp.Example.org.')).toEqual({ ok: true, value: { kind: 'srv', name: '_adit._tcp.example.org' } });
});

test('anything else is refused with what to write', () => {
  for (const text of ['srv:', 'srv:example.org', 'srv:_adit._udp.example.org', 'srv:_adit._tcp', 'srv:_adit._tcp.a b', 'tunnel', '']) expect(parseEgressAddress(text)).toEqual({ ok: false, reason: expect.stringMatching(/write|empty|missing|./) });
  expect(parseEgressAddress('srv:example.org')).toEqual({ ok: false, reason: 'not a SRV name: write srv:_adit._tcp.example.org' });
});

test('never throws, whatever the text', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.string().map((text) => `srv:${text}`)), (text) => { expect(typeof parseEgressAddress(text).ok).toBe('boolean'); }));
});

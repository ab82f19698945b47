import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseListenPlace } from './listen-place.ts';

test.each([
  ['127.0.0.1:8443', { kind: 'tcp', host: '127.0.0.1', port: 8443 }],
  ['*:8443', { kind: 'tcp', host: '::', port: 8443 }],
  ['[::1]:0', { kind: 'tcp', host: '::1', port: 0 }],
  ['/run/adit/egress.sock', { kind: 'unix', path: '/run/adit/egress.sock' }],
  ['systemd:adit', { kind: 'systemd', name: 'adit' }],
])('%s is a place to listen, with and without PROXY headers', (text, listen) => {
  expect(parseListenPlace(text)).toEqual({ ok: true, value: { listen, spec: text } });
  expect(parseListenPlace(`${text}?accept-proxy`)).toEqual({
    ok: true,
    value: { listen, acceptProxy: true, spec: `${text}?accept-proxy` },
  });
});

test('the path of a socket in a file starts at the folder of that file', () => {
  expect(parseListenPlace('egress.sock', '/etc/adit')).toMatchObject({
    ok: true,
    value: { listen: { path: '/etc/adit/egress.sock' } },
  });
});

test.each([
  ['8443', /./],
  [':8443', /the host is missing: write 127.0.0.1:8443/],
  ['127.0.0.1:8443?proxy', /is not an option of a listener/],
  ['systemd:', /the name is missing/],
])('%j is none', (text, reason) => {
  expect(parseListenPlace(text)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
});

test('no text throws', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseListenPlace(text);
    }),
  );
});

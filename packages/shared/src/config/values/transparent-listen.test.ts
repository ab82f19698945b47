import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseTransparentSpec } from './transparent-listen.ts';

test.each([
  ['4000', { kind: 'tcp', host: '127.0.0.1', port: 4000 }],
  ['*:4000', { kind: 'tcp', host: '::', port: 4000 }],
  ['[::1]:0', { kind: 'tcp', host: '::1', port: 0 }],
  ['systemd:adit', { kind: 'systemd', name: 'adit' }],
])('%s is a place, for REDIRECT and for TPROXY', (text, listen) => {
  expect(parseTransparentSpec(text)).toEqual({ ok: true, value: { listen, spec: text } });
  expect(parseTransparentSpec(`${text}?tproxy`)).toEqual({
    ok: true,
    value: { listen, tproxy: true, spec: `${text}?tproxy` },
  });
});

test.each([
  ['', /the local port is missing/],
  ['4000?accept-proxy', /"\?accept-proxy" is not an option of a transparent listener: only \?tproxy is/],
  ['4000?tproxy?tproxy', /is not an option/],
  ['./t.sock', /connections cannot be redirected to a Unix socket/],
  ['10.1:4000', /the bind address/],
])('%j is none, and the complaint says why', (text, reason) => {
  expect(parseTransparentSpec(text)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
});

test('no text throws', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseTransparentSpec(text);
    }),
  );
});

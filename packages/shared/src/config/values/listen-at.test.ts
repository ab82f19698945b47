import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseListenSpec } from './listen-at.ts';

test.each([
  ['1080', { kind: 'tcp', host: '127.0.0.1', port: 1080 }],
  ['0', { kind: 'tcp', host: '127.0.0.1', port: 0 }],
  ['192.168.1.2:1080', { kind: 'tcp', host: '192.168.1.2', port: 1080 }],
  ['localhost:1080', { kind: 'tcp', host: 'localhost', port: 1080 }],
  ['[::1]:1080', { kind: 'tcp', host: '::1', port: 1080 }],
  ['*:1080', { kind: 'tcp', host: '::', port: 1080 }],
  [':1080', { kind: 'tcp', host: '::', port: 1080 }],
  ['./proxy.sock', { kind: 'unix', path: './proxy.sock' }],
  ['/run/[a]:b:c:d', { kind: 'unix', path: '/run/[a]:b:c:d' }],
  ['systemd:socks', { kind: 'systemd', name: 'socks' }],
  ['systemd:adit/1.socket', { kind: 'systemd', name: 'adit/1.socket' }],
])('%s is a place to listen', (text, listen) =>
  expect(parseListenSpec(text)).toEqual({ ok: true, value: { listen, spec: text } }),
);

test.each([
  ['1080?accept-proxy', { kind: 'tcp', host: '127.0.0.1', port: 1080 }],
  ['[::1]:1080?accept-proxy', { kind: 'tcp', host: '::1', port: 1080 }],
  ['x.sock?accept-proxy', { kind: 'unix', path: 'x.sock' }],
  ['systemd:socks?accept-proxy', { kind: 'systemd', name: 'socks' }],
])('%s is one whose connections begin with a PROXY header', (text, listen) =>
  expect(parseListenSpec(text)).toEqual({ ok: true, value: { listen, acceptProxy: true, spec: text } }),
);

test('the path of a socket in a file starts at the folder of that file', () => {
  expect(parseListenSpec('proxy.sock', '/etc/adit')).toMatchObject({
    ok: true,
    value: { listen: { path: '/etc/adit/proxy.sock' } },
  });
});

test.each([
  ['', /the local port is missing: write \[BIND:\]PORT/],
  ['socks', /the local port is not a number from 0 to 65535: write/],
  ['65536', /not a number/],
  ['::1:1080', /too many colons/],
  ['[::1:1080', /bracket/],
  ['[localhost]:1080', /only an IPv6/],
  ['10.1:1080', /the bind address looks like/],
  ['./', /ends in a slash/],
  [`/${'a'.repeat(120)}.sock`, /126 bytes, but at most 103 fit/],
  ['1080?accept_proxy', /"\?accept_proxy" is not an option of a listener: only \?accept-proxy is/],
  ['./x.sock?', /"\?" is not an option/],
  ['1080?accept-proxy?accept-proxy', /is not an option/],
  ['?accept-proxy', /the local port is missing/],
  ['systemd:', /the name is missing: write systemd:NAME/],
  ['systemd:a:b', /not a name that systemd gives a socket/],
  [`systemd:${'x'.repeat(256)}`, /not a name/],
  ['systemd:\u00e4', /not a name/],
  ['systemd', /not a number/],
])('%j is none, and the complaint says why', (text, reason) =>
  expect(parseListenSpec(text)).toEqual({ ok: false, reason: expect.stringMatching(reason) }),
);

test('no text throws', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseListenSpec(text);
    }),
  );
});

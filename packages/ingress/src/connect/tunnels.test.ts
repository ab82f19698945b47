import { expect, test } from '@jest/globals';
import { encodeOpen } from '@adit/shared/protocol/open';
import { targetOf } from './tunnels.ts';

test('a host is asked for as it is, a service by its host name', () => {
  expect(targetOf(encodeOpen({ destination: { kind: 'host', host: '2001:db8::1', port: 443 } }))).toEqual({
    host: '2001:db8::1',
    port: 443,
    authority: '[2001:db8::1]:443',
  });
  expect(targetOf(encodeOpen({ destination: { kind: 'service', service: 'web' } })).authority).toBe(
    'web.adit.internal:80',
  );
});

test('a destination that a proxy cannot serve is refused, and so is a payload that does not parse', () => {
  expect(() => targetOf(encodeOpen({ destination: { kind: 'host', host: 'db', port: 443, tls: true } }))).toThrow(
    expect.objectContaining({ code: 'UNSUPPORTED' }),
  );
  expect(() => targetOf(new Uint8Array(0))).toThrow(expect.objectContaining({ code: 'PROTOCOL_ERROR' }));
});

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ClientAddress, clientAddress, decodeClient, encodeClient, formatClient } from './client-address.ts';
import { formatHostPort } from './destination.ts';
import { ProtocolFault } from './refusal.ts';

const at = (host: string, port: number): ClientAddress => ({ host, port });

test.each([
  ['00', 'local' as const],
  ['047f000001df93', at('127.0.0.1', 57_235)],
  ['0600000000000000000000000000000001df93', at('::1', 57_235)],
  ['0600000000000000000000ffffc0000207df93', at('192.0.2.7', 57_235)],
  ['04c00002070000', at('192.0.2.7', 0)],
])('%s is %j', (hex, client) => expect(decodeClient(Buffer.from(hex, 'hex'))).toEqual(client));

test.each([
  ['127.0.0.1:57235', at('127.0.0.1', 57_235)],
  ['::1:57235', at('::1', 57_235)],
  ['[::1]:57235', at('::1', 57_235)],
  ['::ffff:192.0.2.7:57235', at('192.0.2.7', 57_235)],
  ['fe80::1%eth0:57235', at('fe80::1', 57_235)],
  ['local', 'local' as const],
  ['laptop:57235', undefined],
  ['192.0.2.7', undefined],
  ['192.0.2.7:65536', undefined],
])('the text %s of an older ingress is %j', (text, client) => expect(decodeClient(Buffer.from(text))).toEqual(client));

test.each(['', '0001', '09', '0904'])('%s is a claim that is not understood', (hex) =>
  expect(decodeClient(Buffer.from(hex, 'hex'))).toBeUndefined(),
);

test.each(['04', '047f000001df', '047f000001df9300', '06', '61'.repeat(129)])(
  'a client address of the wrong length is a fault of the session (%#)',
  (hex) => expect(() => decodeClient(Buffer.from(hex, 'hex'))).toThrow(ProtocolFault),
);

const addresses = fc
  .tuple(
    fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.ipV4().map((ip) => `::ffff:${ip}`),
    ),
    fc.nat(65_535),
  )
  .map(([host, port]) => clientAddress(host, port)!);

test('every address comes back, and its text has brackets exactly where it is IPv6', () => {
  fc.assert(
    fc.property(addresses, (client) => {
      expect(decodeClient(encodeClient(client))).toEqual(client);
      expect(formatClient(client).startsWith('[')).toBe(client.host.includes(':'));
      expect(client.host).not.toContain('ffff:0.');
    }),
  );
  expect(decodeClient(encodeClient('local'))).toBe('local');
});

test('what an older ingress wrote of an address is that address, with and without brackets', () => {
  fc.assert(
    fc.property(addresses, ({ host, port }) => {
      for (const text of [`${host}:${port}`, formatHostPort(host, port)])
        expect(decodeClient(Buffer.from(text))).toEqual({ host, port });
    }),
  );
});

test('random bytes are an address, no claim or a fault', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 140 }), (bytes) => {
      try {
        const client = decodeClient(bytes);
        if (client !== undefined) expect(decodeClient(encodeClient(client))).toEqual(client);
      } catch (error) {
        if (!(error instanceof ProtocolFault)) throw error;
      }
    }),
  );
});

test.each([
  ['::ffff:127.0.0.1', '127.0.0.1:9'],
  ['fe80::1%eth0', '[fe80::1]:9'],
  ['::1', '[::1]:9'],
])('the kernel says %s, the log %s', (host, text) => expect(formatClient(clientAddress(host, 9)!)).toBe(text));

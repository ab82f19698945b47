import { duplexPair } from 'node:stream';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { HostPort } from '../protocol/destination.ts';
import { proxyBlock, proxyLine } from '../protocol/proxy-protocol-writer.ts';
import { readProxyHeader } from './proxy-header.ts';

const ends = { source: { host: '192.0.2.7', port: 51_514 }, destination: { host: '198.51.100.1', port: 443 } };
const options = {
  deadlineMs: 30_000,
  peer: 'the load balancer',
  codes: { timeout: 'CLIENT_TIMEOUT', closed: 'PEER_GONE', garbage: 'CLIENT_MALFORMED' },
} as const;

test('the client is the one that the header names, however it is split, and what follows can be read', async () => {
  const headers = fc.constantFrom<readonly [Uint8Array, HostPort | undefined]>(
    [proxyLine(ends), { host: '192.0.2.7', port: 51_514 }],
    [proxyBlock({ ends, checksum: true }), { host: '192.0.2.7', port: 51_514 }],
    [
      proxyBlock({ ends: { source: { host: '2001:db8::7', port: 1 }, destination: { host: '::1', port: 2 } } }),
      { host: '2001:db8::7', port: 1 },
    ],
    [
      proxyBlock({ ends: { source: { host: '::ffff:192.0.2.7', port: 1 }, destination: { host: '::1', port: 2 } } }),
      { host: '192.0.2.7', port: 1 },
    ],
    [proxyBlock({ ends, command: 'LOCAL' }), undefined],
    [proxyLine(), undefined],
  );
  await fc.assert(
    fc.asyncProperty(
      headers,
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 8 }),
      async ([header, client], payload, sizes) => {
        const [near, far] = duplexPair();
        const all = Buffer.concat([header, payload]);
        let at = 0;
        for (const size of sizes) far.write(all.subarray(at, (at += size)));
        far.end(all.subarray(at));
        expect(await readProxyHeader(near, options)).toEqual(client);
        expect(near.isPaused()).toBe(true);
        expect(Buffer.concat((await near.toArray()) as Buffer[])).toEqual(Buffer.from(payload));
      },
    ),
    { numRuns: 60 },
  );
});

test.each([
  ['no header', 'GET / HTTP/1.1\r\n', 'CLIENT_MALFORMED'],
  ['half a header', 'PROXY TCP4 192', 'PEER_GONE'],
  ['nothing', '', 'PEER_GONE'],
])('%s before the end is an error', async (_what, text, code) => {
  const [near, far] = duplexPair();
  far.end(text);
  await expect(readProxyHeader(near, options)).rejects.toMatchObject({ code });
});

test('half a header is waited for until the deadline', async () => {
  const [near, far] = duplexPair();
  far.write('PROXY TCP4');
  await expect(readProxyHeader(near, { ...options, deadlineMs: 20 })).rejects.toMatchObject({ code: 'CLIENT_TIMEOUT' });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { awaitProxyHeader, type ProxyHeader, proxyTlv } from '@adit/shared/protocol/proxy-protocol';
import { sslTlvOf } from '@adit/shared/protocol/proxy-protocol-writer';
import { greeting, ownGreeting, ownTlv, type Caller } from './greeting.ts';

const caller: Caller = {
  identity: { name: 'alice', uri: 'spiffe://example.org/client/alice' },
  client: { host: '192.0.2.7', port: 51_234 },
  remote: '198.51.100.9:40000',
  requested: 'web',
  stream: 'a1b2-7',
};
const to = { host: '10.0.0.5', port: 80 };
const six = { host: 'fd00::5', port: 443 };

function read(bytes: Uint8Array): ProxyHeader {
  const step = awaitProxyHeader().receive(bytes);
  if (step.state !== 'done') throw new Error(JSON.stringify(step));
  expect(step.rest).toHaveLength(0);
  return step.value;
}

const lineOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

describe('a header of version 1', () => {
  it('has the client and the address that was dialled', () => {
    expect(lineOf(greeting('v1', caller, to))).toBe('PROXY TCP4 192.0.2.7 10.0.0.5 51234 80\r\n');
  });
  it('writes two addresses of different families as IPv6', () => {
    expect(lineOf(greeting('v1', caller, six))).toBe('PROXY TCP6 ::ffff:192.0.2.7 fd00::5 51234 443\r\n');
  });
  it('has the address of the session when the ingress claims none', () => {
    const { client: _client, ...unknown } = caller;
    for (const silent of [unknown, { ...caller, client: 'local' } as const])
      expect(lineOf(greeting('v1', silent, to))).toBe('PROXY TCP4 198.51.100.9 10.0.0.5 40000 80\r\n');
  });
  it('is UNKNOWN where no address is known', () => {
    expect(lineOf(greeting('v1', { ...caller, client: 'local', remote: 'somewhere' }, to))).toBe('PROXY UNKNOWN\r\n');
  });
  it('has no destination for a Unix socket', () => {
    expect(lineOf(greeting('v1', caller))).toBe('PROXY TCP4 192.0.2.7 0.0.0.0 51234 0\r\n');
  });
  it('of a probe has no client', () => {
    expect(lineOf(ownGreeting('v1'))).toBe('PROXY UNKNOWN\r\n');
  });
});

describe('a header of version 2', () => {
  it('has the proven identity and the stream', () => {
    const { source, destination, tlvs } = read(greeting('v2', { ...caller, alpn: 'h2' }, to));
    expect({ source, destination }).toEqual({
      source: { host: '192.0.2.7', port: 51234 },
      destination: { host: '10.0.0.5', port: 80 },
    });
    expect(
      tlvs.map(({ type, value }) => [
        type,
        type === proxyTlv.ssl ? Buffer.from(value).toString('hex') : Buffer.from(value).toString(),
      ]),
    ).toEqual([
      [proxyTlv.alpn, 'h2'],
      [proxyTlv.authority, 'web'],
      [proxyTlv.uniqueId, 'a1b2-7'],
      [proxyTlv.ssl, Buffer.from(sslTlvOf({ version: 'TLSv1.3', commonName: 'alice' }).value).toString('hex')],
      [ownTlv.identity, 'spiffe://example.org/client/alice'],
      [ownTlv.remote, '198.51.100.9:40000'],
    ]);
  });

  it('of a probe has no client', () => {
    expect(read(ownGreeting('v2'))).toMatchObject({ local: true, tlvs: [] });
  });

  it('is read back whatever the ingress claims', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.constant('local' as const),
          fc.record({ host: fc.oneof(fc.ipV4(), fc.ipV6()), port: fc.nat(65_535) }),
        ),
        fc.option(fc.string({ maxLength: 255 }), { nil: undefined }),
        fc.oneof(fc.ipV4(), fc.ipV6()),
        fc.boolean(),
        (client, alpn, remote, unix) => {
          const from = remote.includes(':') ? `[${remote}]:1` : `${remote}:1`;
          for (const version of ['v1', 'v2'] as const)
            expect(
              read(
                greeting(
                  version,
                  { ...caller, client, ...(alpn !== undefined && { alpn }), remote: from },
                  unix ? undefined : to,
                ),
              ).source,
            ).toBeDefined();
        },
      ),
    );
  });
});

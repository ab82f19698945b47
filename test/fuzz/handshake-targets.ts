/** Targets before a stream is open: what programs, proxies and load balancers say first. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { concat } from '../../packages/shared/src/protocol/bytes.ts';
import { awaitClientHello } from '../../packages/shared/src/protocol/client-hello.ts';
import {
  awaitControlAnswer,
  awaitControlRequest,
  controlData,
  controlEnd,
  ControlReader,
  controlRequest,
  controlReset,
} from '../../packages/shared/src/protocol/control.ts';
import { awaitConnectResponse } from '../../packages/shared/src/protocol/http-connect.ts';
import { absoluteTarget, basicUser, connectTarget } from '../../packages/shared/src/protocol/http-proxy.ts';
import { awaitProxyHeader } from '../../packages/shared/src/protocol/proxy-protocol.ts';
import { proxyBlock, proxyLine } from '../../packages/shared/src/protocol/proxy-protocol-writer.ts';
import { awaitSocks5 } from '../../packages/shared/src/protocol/socks5-client.ts';
import { awaitSocksRequest, maxSocksBytes } from '../../packages/shared/src/protocol/socks-server.ts';
import { helloOf } from '../support/client-hello.ts';
import { bytes, damaged, endsAlike, fed, splitAt, type Target } from './input.ts';

/** SOCKS5 by name, with a password, SOCKS4 and 4a. */
const socksRequests = [
  '05010005010003016100507869',
  '050200020103626f620378797a05010001c00002070050',
  '04010050c0000207626f620078',
  '04010050000000010064622e610078',
].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));

const proxied = { source: { host: '2001:db8::7', port: 51_514 }, destination: { host: '2001:db8::1', port: 443 } };
const [tlsHello, largeTlsHello] = [
  Buffer.from(await helloOf('web.example.com'), 'latin1'),
  Buffer.from(await helloOf('web.example.com', { minBytes: 17_000 }), 'latin1'),
];
const answer = Buffer.from(
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\nVia: 1.1 a\r\n' +
    'Via: 1.1 b\r\n\r\nbody',
);

/** In the order of the ways in: load balancer, TLS client, proxies, local programs. */
export const handshakeTargets: readonly Target[] = [
  {
    name: 'proxy-header',
    share: 1,
    property: () =>
      fc.property(
        fc.oneof(
          bytes,
          damaged(proxyLine(proxied)),
          damaged(proxyBlock({ ends: proxied, tlvs: [{ type: 0xe0, value: Buffer.from('fuzz') }], checksum: true })),
        ),
        fc.array(fc.nat(120), { maxLength: 6 }),
        (header, cuts) => {
          const { state } = fed(awaitProxyHeader(), splitAt(header, cuts));
          assert.equal(state, awaitProxyHeader().receive(header).state, 'another split gives another outcome');
        },
      ),
  },
  {
    name: 'client-hello',
    share: 0.2,
    property: () =>
      fc.property(
        fc.oneof(bytes, damaged(tlsHello), damaged(largeTlsHello)),
        fc.array(fc.nat(20_000), { maxLength: 6 }),
        (said, cuts) => {
          assert.notEqual(endsAlike(awaitClientHello, said, cuts).state, 'failed');
        },
      ),
  },
  {
    name: 'connect-response',
    share: 1,
    property: () =>
      fc.property(fc.oneof(bytes, damaged(answer)), fc.array(fc.nat(160), { maxLength: 6 }), (head, cuts) => {
        endsAlike(awaitConnectResponse, head, cuts);
      }),
  },
  {
    name: 'socks5-answers',
    share: 1,
    property: () =>
      fc.property(
        fc.array(
          fc.oneof(
            bytes,
            damaged(Uint8Array.of(5, 2)),
            damaged(Uint8Array.of(1, 0)),
            damaged(Uint8Array.of(5, 0, 0, 3, 2, 0x61, 0x62, 0, 80)),
          ),
          { maxLength: 6 },
        ),
        (chunks) => {
          const handshake = awaitSocks5({
            host: 'db.internal',
            port: 5432,
            credentials: { user: 'alice', password: 'fuzz' },
          });
          for (const chunk of chunks) if (handshake.receive(chunk).state !== 'more') break;
        },
      ),
  },
  {
    name: 'socks-requests',
    share: 1,
    property: () =>
      fc.property(
        fc.oneof(bytes, ...socksRequests.map(damaged)),
        fc.array(fc.nat(60), { maxLength: 6 }),
        fc.boolean(),
        (request, cuts, asks) => {
          const admits = asks ? (user: string) => user === 'bob' : undefined;
          const step = fed(awaitSocksRequest(admits), splitAt(request, cuts));
          const whole = awaitSocksRequest(admits).receive(request);
          assert.deepEqual(
            { ...step, rest: 0, send: 0 },
            { ...whole, rest: 0, send: 0 },
            'another split gives another outcome',
          );
          assert(whole.state !== 'more' || request.length < maxSocksBytes, 'it wants more than the limit');
        },
      ),
  },
  {
    name: 'control',
    share: 1,
    property: () =>
      fc.property(
        fc.oneof(
          bytes,
          damaged(concat([controlRequest('db.internal:5432'), ...controlData(Buffer.from('fuzz')), controlEnd])),
          damaged(concat([...controlData(Buffer.from('fuzz')), controlReset('DNS_FAILED', 'no')])),
        ),
        fc.array(fc.nat(40), { maxLength: 6 }),
        (input, cuts) => {
          assert.equal(
            controlEvents(splitAt(input, cuts)),
            controlEvents([input]),
            'another split says something else',
          );
          for (const handshake of [awaitControlRequest, awaitControlAnswer]) {
            endsAlike<unknown>(handshake, input, cuts);
          }
        },
      ),
  },
  {
    name: 'http-proxy-request',
    share: 1,
    property: () =>
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^(https?:\/\/)?[\][a-z0-9.:%@/?#*-]{0,40}$/)), (target) => {
        const parsed = absoluteTarget('GET', target);
        if (parsed.ok)
          assert.match(parsed.value.origin, /^\/[!-~]*$/, 'what is asked of a host is a path and nothing more');
        assert.equal(typeof connectTarget(target).ok, 'boolean');
        basicUser(['Proxy-Authorization', `Basic ${target}`]);
      }),
  },
];

/** What a reader of the control socket makes of these chunks; bytes that follow each other are one event. */
function controlEvents(pieces: readonly Uint8Array[]): string {
  const reader = new ControlReader();
  const words = pieces
    .flatMap((piece) => reader.receive(piece))
    .map((event) =>
      event.type === 'data'
        ? Buffer.from(event.bytes).toString('hex')
        : ` ${event.type} ${event.type === 'reset' ? `${event.code} ${event.reason}` : ''} `,
    );
  return `${words.join('')}${reader.fault}`;
}

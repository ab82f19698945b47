/**
 * What is fuzzed: one row for each decoder and state machine that reads what others wrote.
 * Rule: input is random bytes, random text of the right alphabet, and valid input that was damaged in a few places.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseForward } from '@adit/shared/config/values/forward';
import { AditError } from '@adit/shared/errors';
import { childrenOf, type DerElement, DerError, readDer } from '@adit/shared/identity/der';
import { parseRevocationList } from '@adit/shared/identity/revocation';
import { parseTrustAnchors } from '@adit/shared/identity/trust';
import { formatDestination, parseDestination } from '@adit/shared/protocol/destination';
import { Policy } from '@adit/egress';
import { parseSettingsFile } from '../../packages/shared/src/config/settings-file.ts';
import { concat } from '../../packages/shared/src/protocol/bytes.ts';
import { FrameDecoder } from '../../packages/shared/src/protocol/mux/decoder.ts';
import { encodeFrame } from '../../packages/shared/src/protocol/mux/frame.ts';
import { awaitAnswer, awaitHello, encodeHello, helloFrame } from '../../packages/shared/src/protocol/hello.ts';
import { decodeOpen, encodeOpen } from '../../packages/shared/src/protocol/open.ts';
import { decodeTlvs } from '../../packages/shared/src/protocol/tlv.ts';
import { awaitClientHello } from '../../packages/shared/src/protocol/client-hello.ts';
import { parseSniRoute } from '../../packages/shared/src/config/values/sni-route.ts';
import { helloOf } from '../support/client-hello.ts';
import { awaitProxyHeader } from '../../packages/shared/src/protocol/proxy-protocol.ts';
import { awaitConnectResponse } from '../../packages/shared/src/protocol/http-connect.ts';
import { awaitSocks5 } from '../../packages/shared/src/protocol/socks5-client.ts';
import { awaitSocksRequest, maxSocksBytes } from '../../packages/shared/src/protocol/socks-server.ts';
import { absoluteTarget, basicUser, connectTarget } from '../../packages/shared/src/protocol/http-proxy.ts';
import {
  awaitControlAnswer,
  awaitControlRequest,
  controlData,
  controlEnd,
  ControlReader,
  controlRequest,
  controlReset,
} from '../../packages/shared/src/protocol/control.ts';
import type { Handshake } from '../../packages/shared/src/protocol/handshake.ts';
import { ProtocolFault } from '../../packages/shared/src/protocol/refusal.ts';
import { newCa, newCrl } from '../support/issuer.ts';
import { muxProperty } from '../support/mux-property.ts';
import { transferProperty } from '../support/mux-transfer.ts';
import { proxyBlock, proxyLine } from '../../packages/shared/src/protocol/proxy-protocol-writer.ts';

/** SOCKS5 by name, with a password, SOCKS4 and 4a. */
const socksRequests = [
  '05010005010003016100507869',
  '050200020103626f620378797a05010001c00002070050',
  '04010050c0000207626f620078',
  '04010050000000010064622e610078',
].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));

export interface Target {
  readonly name: string;
  /** Of the cases asked for. */ readonly share: number;
  readonly property: () => fc.IProperty<never> | fc.IProperty<unknown>;
}

/** Runs it; a throw has to be of the given kind. */
function mayThrow(kind: new (...args: never[]) => Error, run: () => void): void {
  try {
    run();
  } catch (error) {
    assert(error instanceof kind, error instanceof Error ? error : String(error));
  }
}

/** Valid bytes with a few of them changed, cut off or repeated. */
function damaged(valid: Uint8Array): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 6 }), fc.nat(valid.length))
    .map(([changes, length]) => {
      const out = valid.slice(0, Math.max(1, length));
      for (const [at, byte] of changes) if (at < out.length) out[at] = byte;
      return out;
    });
}

/**
 * What a decoder makes of these chunks: bytes that follow each other on one stream as one event, and the fault if there
 * was one.
 */
function decoded(chunks: readonly Uint8Array[]): {
  readonly events: readonly string[];
  readonly offset: number;
  readonly fault: string;
} {
  const events: string[] = [];
  let open = '';
  const decoder = new FrameDecoder({
    data: (id, payload) => {
      if (open !== `data ${id} `) events.push((open = `data ${id} `));
      events[events.length - 1] += Buffer.from(payload).toString('hex');
    },
    control: (type, id, payload) => {
      open = '';
      events.push(`${type} ${id} ${Buffer.from(payload).toString('hex')}`);
    },
  });
  let fault = '';
  try {
    for (const chunk of chunks) decoder.receive(chunk);
  } catch (error) {
    assert(error instanceof ProtocolFault, error instanceof Error ? error : String(error));
    fault = error.message;
  }
  return { events, offset: decoder.offset, fault };
}

function splitAt(stream: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [
    0,
    ...cuts.map((cut) => Math.min(cut, stream.length)).sort((one, other) => one - other),
    stream.length,
  ];
  return places.slice(1).map((to, n) => stream.subarray(places[n], to));
}

function walk(element: DerElement): void {
  if ((element.tag & 0x20) !== 0) for (const child of childrenOf(element, 'it')) walk(child);
}

const bytes = fc.uint8Array({ maxLength: 300, size: 'max' });
/** Frames of known and unknown types, now and then with a few bytes of nonsense among them. */
const frames = fc
  .array(
    fc.oneof(
      {
        weight: 9,
        arbitrary: fc
          .tuple(fc.constantFrom(0, 1, 2, 5, 6, 0x1f, 0x80, 0x81, 0x8f), fc.nat(3), fc.uint8Array({ maxLength: 60 }))
          .map(([type, id, payload]) => encodeFrame(type, id, payload)),
      },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 9 }) },
    ),
    { maxLength: 8 },
  )
  .map(concat);
const hello = helloFrame(
  encodeHello({
    versions: { min: 1, max: 1 },
    kind: 'new',
    features: 1,
    sessionId: new Uint8Array(16),
    epoch: 0,
    position: { offset: 0, partial: 0 },
    window: 262_144,
    maxStreams: 0,
    agent: 'fuzz',
  }),
  new Uint8Array(32),
);
const open = encodeOpen({
  destination: { kind: 'host', host: 'db.internal', port: 5432 },
  frontEnd: 'forward',
  client: '127.0.0.1:1',
});
const proxied = { source: { host: '2001:db8::7', port: 51_514 }, destination: { host: '2001:db8::1', port: 443 } };
const [tlsHello, largeTlsHello] = [
  Buffer.from(await helloOf('web.example.com'), 'latin1'),
  Buffer.from(await helloOf('web.example.com', { minBytes: 17_000 }), 'latin1'),
];
const answer = Buffer.from(
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\nVia: 1.1 a\r\n' +
    'Via: 1.1 b\r\n\r\nbody',
);
const ca = newCa('Fuzz CA');
const anchors = parseTrustAnchors(ca.certPem, 'ca.crt');
const crl = newCrl(ca);
const settings =
  'egress: "127.0.0.1:8443"\ncert: a.crt\nkey: a.key\nca: ca.crt\nforward:\n  - 5432:db.internal:5432\n' +
  '  - "[::1]:8080:web"\nidle-timeout: 5m\n';
const policy =
  'version: 1\nservices:\n  web: tcp://10.0.0.5:80\nrules:\n  - name: dev\n    identities: [alice, "group:dev"]\n' +
  '    allow: [web, "*.svc.internal:443,8443", "10.0.0.0/8:22"]\n    deny: ["10.0.9.0/24:*"]\n';

export const targets: readonly Target[] = [
  {
    name: 'decoder',
    share: 1,
    property: () =>
      fc.property(fc.oneof(bytes, frames), fc.array(fc.nat(300), { maxLength: 6 }), (stream, cuts) => {
        const [whole, pieces] = [decoded([stream]), decoded(splitAt(stream, cuts))];
        assert.deepEqual(pieces, whole, 'another split gives other events');
        assert(whole.offset <= stream.length);
      }),
  },
  {
    name: 'hello',
    share: 1,
    property: () =>
      fc.property(fc.oneof(bytes, damaged(hello)), fc.nat(200), (frame, cut) => {
        for (const handshake of [awaitHello(), awaitAnswer()]) {
          const first = handshake.receive(frame.subarray(0, cut % (frame.length + 1)));
          if (first.state === 'more') handshake.receive(frame.subarray(cut % (frame.length + 1)));
        }
      }),
  },
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
          const handshake = awaitProxyHeader();
          let step = handshake.receive(new Uint8Array(0));
          for (const piece of splitAt(header, cuts)) if (step.state === 'more') step = handshake.receive(piece);
          assert.equal(step.state, awaitProxyHeader().receive(header).state, 'another split gives another outcome');
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
          const handshake = awaitClientHello();
          let step = handshake.receive(new Uint8Array(0));
          for (const piece of splitAt(said, cuts)) if (step.state === 'more') step = handshake.receive(piece);
          assert.notEqual(step.state, 'failed');
          assert.deepEqual(
            { ...step, rest: 0 },
            { ...awaitClientHello().receive(said), rest: 0 },
            'another split gives another outcome',
          );
        },
      ),
  },
  {
    name: 'connect-response',
    share: 1,
    property: () =>
      fc.property(fc.oneof(bytes, damaged(answer)), fc.array(fc.nat(160), { maxLength: 6 }), (head, cuts) => {
        const handshake = awaitConnectResponse();
        let step = handshake.receive(new Uint8Array(0));
        for (const piece of splitAt(head, cuts)) if (step.state === 'more') step = handshake.receive(piece);
        const whole = awaitConnectResponse().receive(head);
        assert.deepEqual({ ...step, rest: 0 }, { ...whole, rest: 0 }, 'another split gives another outcome');
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
          const handshake = awaitSocksRequest(admits);
          let step = handshake.receive(new Uint8Array(0));
          for (const piece of splitAt(request, cuts)) if (step.state === 'more') step = handshake.receive(piece);
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
          const said = (pieces: readonly Uint8Array[]): string => {
            const reader = new ControlReader();
            const words = pieces
              .flatMap((piece) => reader.receive(piece))
              .map((event) =>
                event.type === 'data'
                  ? Buffer.from(event.bytes).toString('hex')
                  : ` ${event.type} ${event.type === 'reset' ? `${event.code} ${event.reason}` : ''} `,
              );
            return `${words.join('')}${reader.fault}`;
          };
          assert.equal(said(splitAt(input, cuts)), said([input]), 'another split says something else');
          for (const handshake of [awaitControlRequest, awaitControlAnswer]) {
            const one: Handshake<unknown> = handshake();
            let step = one.receive(new Uint8Array(0));
            for (const piece of splitAt(input, cuts)) if (step.state === 'more') step = one.receive(piece);
            assert.deepEqual(
              { ...step, rest: 0 },
              { ...handshake().receive(input), rest: 0 },
              'another split gives another outcome',
            );
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
  {
    name: 'open',
    share: 1,
    property: () =>
      fc.property(fc.oneof(bytes, damaged(open)), (payload) => {
        mayThrow(ProtocolFault, () => {
          const decoded = decodeOpen(payload);
          if (decoded.ok) assert.deepEqual(decodeOpen(encodeOpen(decoded.request)), decoded);
        });
      }),
  },
  {
    name: 'tlv',
    share: 1,
    property: () =>
      fc.property(bytes, (payload) =>
        mayThrow(ProtocolFault, () => {
          decodeTlvs(payload);
        }),
      ),
  },
  {
    name: 'destination',
    share: 1,
    property: () =>
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\][a-z0-9.:%*-]{0,40}$/)), (text) => {
        const parsed = parseDestination(text);
        if (parsed.ok) assert.deepEqual(parseDestination(formatDestination(parsed.value)), parsed);
      }),
  },
  {
    name: 'forward',
    share: 1,
    property: () =>
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\][a-z0-9.:*/-]{0,50}$/)), (text) => {
        assert.equal(typeof parseForward(text).ok, 'boolean');
      }),
  },
  {
    name: 'sni-route',
    share: 1,
    property: () =>
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\][a-z0-9.:%*=-]{0,40}$/)), (text) => {
        assert.equal(typeof parseSniRoute(text).ok, 'boolean');
      }),
  },
  {
    name: 'policy',
    share: 0.05,
    property: () =>
      fc.property(
        fc.oneof(
          fc.string(),
          damaged(Buffer.from(policy)).map((text) => Buffer.from(text).toString('latin1')),
        ),
        (text) =>
          mayThrow(AditError, () => {
            Policy.parse(text, 'policy.yaml');
          }),
      ),
  },
  {
    name: 'revocation-list',
    share: 0.2,
    property: () =>
      fc.property(fc.oneof(bytes, damaged(crl)), (der) =>
        mayThrow(AditError, () => {
          parseRevocationList(Buffer.from(der), anchors);
        }),
      ),
  },
  {
    name: 'der',
    share: 1,
    property: () =>
      fc.property(fc.oneof(bytes, damaged(crl)), (der) =>
        mayThrow(DerError, () => {
          walk(readDer(der, 'it'));
        }),
      ),
  },
  {
    name: 'config-file',
    share: 0.05,
    property: () =>
      fc.property(
        fc.oneof(
          fc.string(),
          damaged(Buffer.from(settings)).map((text) => Buffer.from(text).toString('latin1')),
        ),
        (text) => {
          const { entries, complaints } = parseSettingsFile(text, 'adit.yaml');
          assert(Array.isArray(entries) && complaints.every(({ text: line }) => line.startsWith('adit.yaml:')));
        },
      ),
  },
  { name: 'mux-transfer', share: 0.05, property: () => transferProperty() },
  { name: 'mux-pair', share: 1, property: () => muxProperty() },
];

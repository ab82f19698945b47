/**
 * What is fuzzed: one row for each decoder and state machine that reads what others wrote.
 * Rule: input is random bytes, random text of the right alphabet, and valid input that was damaged in a few places.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AditError, parseDestination, formatDestination, parseForward, parseRevocationList, parseTrustAnchors } from '@adit/shared';
import { Policy } from '@adit/egress';
import { FrameDecoder } from '../../packages/shared/src/protocol/mux/decoder.ts';
import { awaitAnswer, awaitHello, encodeHello, helloFrame } from '../../packages/shared/src/protocol/hello.ts';
import { decodeOpen, encodeOpen } from '../../packages/shared/src/protocol/open.ts';
import { decodeTlvs } from '../../packages/shared/src/protocol/tlv.ts';
import { ProtocolFault } from '../../packages/shared/src/protocol/refusal.ts';
import { newCa, newCrl } from '../support/issuer.ts';
import { muxProperty } from '../support/mux-property.ts';
import { transferProperty } from '../support/mux-transfer.ts';

export interface Target { readonly name: string; /** Of the cases asked for. */ readonly share: number; readonly property: () => fc.IProperty<never> | fc.IProperty<unknown> }

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
  return fc.tuple(fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 6 }), fc.nat(valid.length)).map(([changes, length]) => {
    const out = valid.slice(0, Math.max(1, length));
    for (const [at, byte] of changes) if (at < out.length) out[at] = byte;
    return out;
  });
}

const bytes = fc.uint8Array({ maxLength: 300, size: 'max' });
const hello = helloFrame(encodeHello({
  versions: { min: 1, max: 1 }, kind: 'new', features: 1, sessionId: new Uint8Array(16), epoch: 0, position: { offset: 0, partial: 0 }, window: 262_144, maxStreams: 0, agent: 'fuzz',
}), new Uint8Array(32));
const open = encodeOpen({ destination: { kind: 'host', host: 'db.internal', port: 5432 }, frontEnd: 'forward', client: '127.0.0.1:1' });
const ca = newCa('Fuzz CA');
const anchors = parseTrustAnchors(ca.certPem, 'ca.crt');
const crl = newCrl(ca);
const policy = 'version: 1\nservices:\n  web: tcp://10.0.0.5:80\nrules:\n  - name: dev\n    identities: [alice, "group:dev"]\n    allow: [web, "*.svc.internal:443,8443", "10.0.0.0/8:22"]\n    deny: ["10.0.9.0/24:*"]\n';

export const targets: readonly Target[] = [
  { name: 'decoder', share: 1, property: () => fc.property(fc.array(bytes, { maxLength: 4 }), (chunks) => {
    const decoder = new FrameDecoder({ data: () => { /* cut through */ }, control: () => { /* whole */ } });
    mayThrow(ProtocolFault, () => { for (const chunk of chunks) decoder.receive(chunk); });
    assert(decoder.offset <= chunks.reduce((sum, { length }) => sum + length, 0));
  }) },
  { name: 'hello', share: 1, property: () => fc.property(fc.oneof(bytes, damaged(hello)), fc.nat(200), (frame, cut) => {
    for (const handshake of [awaitHello(), awaitAnswer()]) {
      const first = handshake.receive(frame.subarray(0, cut % (frame.length + 1)));
      if (first.state === 'more') handshake.receive(frame.subarray(cut % (frame.length + 1)));
    }
  }) },
  { name: 'open', share: 1, property: () => fc.property(fc.oneof(bytes, damaged(open)), (payload) => {
    mayThrow(ProtocolFault, () => {
      const decoded = decodeOpen(payload);
      if (decoded.ok) assert.deepEqual(decodeOpen(encodeOpen(decoded.request)), decoded);
    });
  }) },
  { name: 'tlv', share: 1, property: () => fc.property(bytes, (payload) => mayThrow(ProtocolFault, () => { decodeTlvs(payload); })) },
  { name: 'destination', share: 1, property: () => fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\][a-z0-9.:%*-]{0,40}$/)), (text) => {
    const parsed = parseDestination(text);
    if (parsed.ok) assert.deepEqual(parseDestination(formatDestination(parsed.value)), parsed);
  }) },
  { name: 'forward', share: 1, property: () => fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\][a-z0-9.:*/-]{0,50}$/)), (text) => { assert.equal(typeof parseForward(text).ok, 'boolean'); }) },
  { name: 'policy', share: 0.05, property: () => fc.property(fc.oneof(fc.string(), damaged(Buffer.from(policy)).map((text) => Buffer.from(text).toString('latin1'))), (text) => mayThrow(AditError, () => { Policy.parse(text, 'policy.yaml'); })) },
  { name: 'revocation-list', share: 0.2, property: () => fc.property(fc.oneof(bytes, damaged(crl)), (der) => mayThrow(AditError, () => { parseRevocationList(Buffer.from(der), anchors); })) },
  { name: 'mux-transfer', share: 0.05, property: () => transferProperty() as fc.IProperty<unknown> },
  { name: 'mux-pair', share: 1, property: () => muxProperty() },
];

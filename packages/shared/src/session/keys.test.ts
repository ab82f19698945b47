import { createHmac } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { Carrier } from '../carrier/contract.ts';
import { binder, binderHolds, resumeKey } from './keys.ts';

/** A carrier whose exporter is a keyed hash, as TLS's is of its own secret. */
function carrier(secret: string): Carrier {
  return {
    kind: 'tls',
    duplex: new PassThrough(),
    remote: secret,
    exportKey: (label, context) => createHmac('sha256', secret).update(label).update(context).digest(),
  };
}

const covered = Uint8Array.of(1, 2, 3);
const key = Buffer.alloc(32, 1);

test('a binder holds for its key, side, carrier and text, and for nothing else', () => {
  const input = { key, side: 'client', carrier: carrier('a'), covered } as const;
  const good = binder(input);
  expect(binderHolds(input, good)).toBe(true);
  for (const other of [
    { ...input, key: Buffer.alloc(32, 2) },
    { ...input, side: 'server' as const },
    { ...input, carrier: carrier('b') },
    { ...input, covered: Uint8Array.of(1, 2, 4) },
  ])
    expect(binderHolds(other, good)).toBe(false);
  for (let bit = 0; bit < 256; bit++) {
    const flipped = Buffer.from(good);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    expect(binderHolds(input, flipped)).toBe(false);
  }
  expect(binderHolds(input, good.subarray(1))).toBe(false);
});

test('the resume key is of the founding carrier and the session', () => {
  const id = new Uint8Array(16);
  expect(resumeKey(carrier('a'), id).equals(resumeKey(carrier('a'), id))).toBe(true);
  expect(resumeKey(carrier('a'), id).equals(resumeKey(carrier('b'), id))).toBe(false);
  expect(resumeKey(carrier('a'), id).equals(resumeKey(carrier('a'), id.slice().fill(1)))).toBe(false);
});

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeClose,
  decodeRefusal,
  decodeRefuse,
  encodeClose,
  encodeRefusal,
  encodeRefuse,
  ProtocolFault,
} from './refusal.ts';

const reason = fc.string({ maxLength: 60 });
const code = fc.nat(0xffff);

test('come back as they were sent', () => {
  fc.assert(
    fc.property(code, reason, fc.boolean(), fc.nat(0xffffffff), (number, why, resumable, retryAfterMs) => {
      expect(decodeRefusal(encodeRefusal({ code: number, reason: why }))).toEqual({ code: number, reason: why });
      expect(decodeClose(encodeClose({ code: number, reason: why, resumable }))).toEqual({
        code: number,
        reason: why,
        resumable,
      });
      expect(decodeRefuse(encodeRefuse({ code: number, reason: why, retryAfterMs }))).toEqual({
        code: number,
        reason: why,
        retryAfterMs,
      });
    }),
  );
});

test('a reason is cut to 256 bytes on the way out and refused on the way in', () => {
  expect(encodeRefusal({ code: 1, reason: 'x'.repeat(1_000) })).toHaveLength(2 + 256);
  expect(() => decodeRefusal(new Uint8Array(2 + 257))).toThrow(ProtocolFault);
});

test('what is too short is a fault', () => {
  for (const decode of [decodeRefusal, decodeClose, decodeRefuse])
    expect(() => decode(Uint8Array.of(1))).toThrow(ProtocolFault);
});

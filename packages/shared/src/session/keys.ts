/**
 * The keys that bind a session to the two ends that founded it, and an attachment to its one carrier.
 * Rule: the resume key never crosses the wire. A binder for one carrier is worthless on another.
 * Spec: RFC 9266, RFC 5705.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Carrier } from '../carrier/contract.ts';

const resumeLabel = 'EXPORTER-adit1-resume';
const attachLabel = 'EXPORTER-adit1-attach';

/** The resume key, 32 bytes. `founding` is the carrier that the session was made on. */
export function resumeKey(founding: Carrier, sessionId: Uint8Array): Buffer {
  return founding.exportKey(resumeLabel, Buffer.from(sessionId));
}

export interface BinderInput {
  readonly key: Buffer;
  readonly side: 'client' | 'server';
  readonly carrier: Carrier;
  readonly covered: Uint8Array;
}

/** HMAC-SHA256(key, "adit1 c" or "adit1 s" || exporter of this carrier || the frame without its binder). */
export function binder({ key, side, carrier, covered }: BinderInput): Buffer {
  return createHmac('sha256', key)
    .update(side === 'client' ? 'adit1 c' : 'adit1 s')
    .update(carrier.exportKey(attachLabel, Buffer.alloc(0)))
    .update(covered)
    .digest();
}

export function binderHolds(input: BinderInput, claimed: Uint8Array): boolean {
  const expected = binder(input);
  return claimed.length === expected.length && timingSafeEqual(expected, claimed);
}

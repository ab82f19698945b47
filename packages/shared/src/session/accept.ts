/**
 * The egress side of an attachment: awaits HELLO on an authenticated carrier and answers WELCOME or REFUSE.
 * Rule: everything is checked before WELCOME is written. A REFUSE is one frame; then the connection ends, and what
 * still arrives is discarded.
 * Spec: docs/protocol.md section 3.3.
 */
import type { Duplex } from 'node:stream';
import type { Carrier } from '../carrier/contract.ts';
import { wireOfCode, type Code } from '../errors.ts';
import { drive } from '../net/drive.ts';
import { farewell } from '../net/farewell.ts';
import { awaitHello, encodeWelcome, welcomeFrame, type Bound, type Hello, type Welcome } from '../protocol/hello.ts';
import { encodeFrame, frameType } from '../protocol/mux/frame.ts';
import { encodeRefuse } from '../protocol/refusal.ts';
import { binder } from './keys.ts';

const maxBytes = 4096 + 65_536; // one HELLO, and the first frames that may follow it

/** Rejects with LINK_TIMEOUT, LINK_LOST or PROTOCOL_ERROR. */
export function receiveHello(carrier: Carrier, deadlineMs: number): Promise<{ value: Bound<Hello>; rest: Uint8Array }> {
  return drive(carrier.duplex, awaitHello(), {
    deadlineMs,
    maxBytes,
    codes: { timeout: 'LINK_TIMEOUT', closed: 'LINK_LOST', garbage: 'PROTOCOL_ERROR' },
    peer: `the ingress ${carrier.remote}`,
  });
}

export function sendWelcome(carrier: Carrier, welcome: Welcome, key: Buffer): void {
  const covered = encodeWelcome(welcome);
  carrier.duplex.write(welcomeFrame(covered, binder({ key, side: 'server', carrier, covered })));
}

/** Refuses in one frame and ends the connection. Bytes from the peer are ignored. */
export function refuse(
  duplex: Duplex,
  { code, reason, retryAfterMs = 0 }: { readonly code: Code; readonly reason: string; readonly retryAfterMs?: number },
): Promise<void> {
  return farewell(
    duplex,
    encodeFrame(frameType.refuse, 0, encodeRefuse({ code: wireOfCode(code), reason, retryAfterMs })),
  );
}

/**
 * The ingress side of an attachment: sends HELLO and awaits WELCOME or REFUSE, on an authenticated carrier.
 * Rule: nothing of the session is sent before the egress has proven by its binder that it holds the session's key.
 * Spec: docs/protocol.md section 3.3.
 */
import type { Carrier } from '../carrier/contract.ts';
import { AditError, codeOfWire } from '../errors.ts';
import { drive } from '../net/drive.ts';
import {
  awaitAnswer,
  binderBytes,
  encodeHello,
  feature,
  helloFrame,
  sessionIdBytes,
  version,
  type Hello,
  type Welcome,
} from '../protocol/hello.ts';
import type { Position } from '../protocol/mux/lane.ts';
import { binder, binderHolds, resumeKey } from './keys.ts';

/** What both ends keep of a session in order to resume it. */
export interface SessionSecret {
  readonly id: Uint8Array;
  readonly key: Buffer;
}

export interface ConnectOptions {
  /** The session to resume, from our position, as attachment number `epoch`; absent for a new one. */
  readonly resume?: SessionSecret & { readonly epoch: number; readonly position: Position };
  /** The session to add a lane to, and the number of the lane. */
  readonly add?: SessionSecret & { readonly lane: number };
  /** Whether the session may have further lanes. */
  readonly lanes?: boolean;
  /** The credit that the egress starts with on each stream; bytes. */
  readonly window: number;
  readonly agent: string;
  readonly deadlineMs: number;
}

export interface Connected {
  readonly welcome: Welcome;
  readonly secret: SessionSecret;
  readonly rest: Uint8Array;
}

/** A refusal by the egress: its code, its reason, and how long it asks us to wait. */
export class RefusedError extends AditError {
  readonly retryAfterMs: number;
  constructor(refuse: { readonly code: number; readonly reason: string; readonly retryAfterMs: number }) {
    super(codeOfWire(refuse.code), refuse.reason);
    this.retryAfterMs = refuse.retryAfterMs;
  }
}

/** One WELCOME, and the first frames that may follow it. */
const maxAnswerBytes = 4096 + 65_536;

/**
 * Rejects with RefusedError, LINK_TIMEOUT, LINK_LOST or PROTOCOL_ERROR; the carrier is then the caller's to destroy.
 */
export async function connectSession(carrier: Carrier, options: ConnectOptions): Promise<Connected> {
  const hello = helloOf(options);
  const covered = encodeHello(hello);
  const known: SessionSecret | undefined = options.resume ?? options.add;
  const ours = known ? binder({ key: known.key, side: 'client', carrier, covered }) : Buffer.alloc(binderBytes);
  carrier.duplex.write(helloFrame(covered, ours));
  const { value: answer, rest } = await drive(carrier.duplex, awaitAnswer(), {
    deadlineMs: options.deadlineMs,
    maxBytes: maxAnswerBytes,
    codes: { timeout: 'LINK_TIMEOUT', closed: 'LINK_LOST', garbage: 'PROTOCOL_ERROR' },
    peer: `the egress ${carrier.remote}`,
  });
  if (answer.kind === 'refuse') throw new RefusedError(answer.refuse);
  const { value: welcome, binder: theirs, covered: answered } = answer.welcome;
  const key = known?.key ?? resumeKey(carrier, welcome.sessionId);
  const proven = binderHolds({ key, side: 'server', carrier, covered: answered }, theirs);
  if (!proven || !fits(welcome, hello))
    throw new AditError(
      'PROTOCOL_ERROR',
      `the egress ${carrier.remote} answered with a WELCOME that does not belong to this session`,
    );
  return { welcome, secret: { id: welcome.sessionId, key }, rest };
}

function helloOf({ resume, add, lanes = false, window, agent }: ConnectOptions): Hello {
  return {
    versions: { min: version, max: version },
    kind: resume ? 'resume' : add ? 'lane' : 'new',
    lane: add?.lane ?? 0,
    features: feature.resume | (lanes || add ? feature.lanes : 0),
    sessionId: (resume ?? add)?.id ?? new Uint8Array(sessionIdBytes),
    epoch: resume?.epoch ?? 0,
    position: resume?.position ?? { offset: 0, partial: 0 },
    window,
    maxStreams: 0,
    agent,
  };
}

/** Whether this WELCOME answers our HELLO. */
function fits(welcome: Welcome, { kind, lane, sessionId }: Hello): boolean {
  if (welcome.version !== version || welcome.kind !== kind || welcome.lane !== lane) return false;
  return kind === 'new' || Buffer.compare(sessionId, welcome.sessionId) === 0;
}

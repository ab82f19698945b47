/**
 * The ingress side of an attachment: HELLO out, WELCOME or REFUSE in, on a carrier that is authenticated already.
 * Rule: nothing of the session is sent before the egress has proven, by its binder, that it holds the session's key.
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

/** What the two ends remember of a session, to resume it. */
export interface SessionSecret {
  readonly id: Uint8Array;
  readonly key: Buffer;
}

export interface ConnectOptions {
  /** Resume this session, from our position, as attachment number `epoch`; absent for a new one. */
  readonly resume?: SessionSecret & { readonly epoch: number; readonly position: Position };
  /** Credit that the egress starts with on each stream, bytes. */
  readonly window: number;
  readonly agent: string;
  readonly deadlineMs: number;
}

export interface Connected {
  readonly welcome: Welcome;
  readonly secret: SessionSecret;
  readonly rest: Uint8Array;
}

/** A refusal of the egress: its code, its words, and how long it asks us to wait. */
export class RefusedError extends AditError {
  readonly retryAfterMs: number;
  constructor(refuse: { readonly code: number; readonly reason: string; readonly retryAfterMs: number }) {
    super(codeOfWire(refuse.code), refuse.reason);
    this.retryAfterMs = refuse.retryAfterMs;
  }
}

const maxBytes = 4096;

/**
 * Rejects with RefusedError, LINK_TIMEOUT, LINK_LOST or PROTOCOL_ERROR; the carrier is then the caller's to destroy.
 */
export async function connectSession(carrier: Carrier, options: ConnectOptions): Promise<Connected> {
  const { resume } = options;
  const hello: Hello = {
    versions: { min: version, max: version },
    kind: resume ? 'resume' : 'new',
    features: feature.resume,
    sessionId: resume?.id ?? new Uint8Array(sessionIdBytes),
    epoch: resume?.epoch ?? 0,
    position: resume?.position ?? { offset: 0, partial: 0 },
    window: options.window,
    maxStreams: 0,
    agent: options.agent,
  };
  const covered = encodeHello(hello);
  carrier.duplex.write(
    helloFrame(
      covered,
      resume ? binder({ key: resume.key, side: 'client', carrier, covered }) : Buffer.alloc(binderBytes),
    ),
  );
  const codes = { timeout: 'LINK_TIMEOUT', closed: 'LINK_LOST', garbage: 'PROTOCOL_ERROR' } as const;
  const { value: answer, rest } = await drive(carrier.duplex, awaitAnswer(), {
    deadlineMs: options.deadlineMs,
    maxBytes: maxBytes + 65_536,
    codes,
    peer: `the egress ${carrier.remote}`,
  });
  if (answer.kind === 'refuse') throw new RefusedError(answer.refuse);
  const welcome = answer.welcome.value;
  const key = resume?.key ?? resumeKey(carrier, welcome.sessionId);
  const proven = binderHolds({ key, side: 'server', carrier, covered: answer.welcome.covered }, answer.welcome.binder);
  const fits =
    welcome.version === version &&
    welcome.kind === hello.kind &&
    (!resume || Buffer.compare(resume.id, welcome.sessionId) === 0);
  if (!proven || !fits)
    throw new AditError(
      'PROTOCOL_ERROR',
      `the egress ${carrier.remote} answered with a WELCOME that does not belong to this session`,
    );
  return { welcome, secret: { id: welcome.sessionId, key }, rest };
}

/**
 * The sessions of this egress: founding them, finding them again for a resume, ending them.
 * Rule: a session belongs to the identity that founded it; resuming needs that identity, the session's key on this very
 * carrier, a newer epoch and a position that leaves no gap, all checked before anything changes. What goes wrong is one
 * code on the wire, and said in full in our log.
 */
import { randomBytes } from 'node:crypto';
import type { Carrier } from '@adit/shared/carrier/contract';
import { type Code, codeOfWire, wireOfCode } from '@adit/shared/errors';
import { judgeAgain, type PeerContext, type PeerIdentity, sameIdentity } from '@adit/shared/identity/peer';
import type { AccessRecord } from '@adit/shared/observe/access-record';
import type { Logger } from '@adit/shared/observe/logger';
import { type Bound, feature, type Hello, version } from '@adit/shared/protocol/hello';
import type { Position } from '@adit/shared/protocol/mux/lane';
import { sendWelcome } from '@adit/shared/session/accept';
import { SessionDriver } from '@adit/shared/session/driver';
import { binderHolds, resumeKey } from '@adit/shared/session/keys';
import type { Services } from '../backend/services.ts';
import { Detached, type DetachedOptions } from './detached.ts';
import type { Full, Lease, Limits } from '../limits.ts';
import type { Policy } from '../policy/policy.ts';
import { Rates } from './rate.ts';
import { ServedStream } from '../stream.ts';

export interface SessionsOptions extends DetachedOptions {
  readonly window: number;
  readonly maxReplayPerSession: number;
  readonly maxStreamsPerIdentity: number;
  readonly dialTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly agent: string;
}

export interface SessionsContext {
  readonly options: SessionsOptions;
  readonly limits: Limits;
  readonly policy: () => Policy;
  readonly services: Services;
  readonly log: Logger;
  readonly record: (record: AccessRecord) => void;
}

/** Silence after which a carrier is given up; the ingress asks every ten seconds. */
const deadAfterMs = 45_000;
/**
 * Streams over the limit that are refused with an access record of their own; beyond them the session itself says no.
 */
const refusedInFlight = 256;
/**
 * How often one identity may found a session, fail to resume one, or resume one of which the last carrier moved
 * nothing.
 */
const attachRate = { perSecond: 20, burst: 100 };
/** One answer for every reason: a stranger learns nothing about which sessions there are. */
const notResumable: Full = { code: 'NOT_RESUMABLE', reason: 'the egress does not know this session' };

class EgressSession {
  readonly id: Buffer;
  readonly name: string;
  readonly key: Buffer;
  readonly driver: SessionDriver;
  readonly streams = new Set<ServedStream>();
  readonly lease: Lease;
  readonly resumable: boolean;
  identity: PeerIdentity;
  /** Where the last carrier came from. */
  remote = '';
  epoch = 0;
  /** Bytes that had arrived, both ways, when it was last resumed. */
  moved = 0;

  constructor(founding: {
    readonly id: Buffer;
    readonly key: Buffer;
    readonly identity: PeerIdentity;
    readonly lease: Lease;
    readonly resumable: boolean;
    readonly driver: SessionDriver;
  }) {
    this.id = founding.id;
    this.name = founding.id.subarray(0, 6).toString('hex');
    this.key = founding.key;
    this.identity = founding.identity;
    this.lease = founding.lease;
    this.resumable = founding.resumable;
    this.driver = founding.driver;
  }

  get owner(): string {
    return this.identity.uri;
  }
  get heldBytes(): number {
    return this.driver.session.lane.log.unacked;
  }
}

export class Sessions {
  readonly #context: SessionsContext;
  readonly #instance = randomBytes(8).toString('hex');
  readonly #sessions = new Map<string, EgressSession>();
  readonly #detached: Detached<EgressSession>;
  readonly #rates = new Rates(attachRate);
  #emptied: (() => void) | undefined;

  constructor(context: SessionsContext) {
    this.#context = context;
    this.#detached = new Detached(context.options, (session, why) => this.#end(session, why));
  }

  get size(): number {
    return this.#sessions.size;
  }

  #tooOften({ uri }: PeerIdentity): Full | undefined {
    return this.#rates.take(uri, performance.now()) > 0
      ? { code: 'OVERLOAD', reason: `this identity attaches more than ${attachRate.perSecond} times a second` }
      : undefined;
  }

  /** Answers a HELLO: the session is attached and welcomed, or the reason why not. */
  attach(
    carrier: Carrier,
    identity: PeerIdentity,
    hello: { readonly value: Bound<Hello>; readonly rest: Uint8Array },
  ): Full | undefined {
    const stranger = this.#stranger(identity); // the policy may have changed since the handshake
    if (stranger) return stranger;
    const { versions, kind } = hello.value.value;
    if (versions.min > version || versions.max < version)
      return {
        code: 'VERSION',
        reason: `this egress speaks version ${version}, the ingress ${versions.min} to ${versions.max}`,
      };
    return kind === 'new' ? this.#found(carrier, identity, hello) : this.#resume(carrier, identity, hello);
  }

  /**
   * The policy changed: end the sessions, attached or waiting, of those whom it no longer knows, and the streams that
   * it no longer allows.
   */
  recheckPolicy(): void {
    for (const session of [...this.#sessions.values()]) {
      const stranger = this.#stranger(session.identity);
      if (stranger) this.#turnAway(session, stranger);
      else for (const stream of [...session.streams]) stream.recheck();
    }
  }

  /** The revocation list changed, or time passed: end the sessions whose certificate no longer holds. */
  recheckIdentities(context: PeerContext): void {
    this.#rates.sweep(performance.now());
    for (const session of [...this.#sessions.values()]) {
      const refused = judgeAgain(session.identity, context);
      if (refused && refused.code !== 'REVOCATION_STALE') this.#turnAway(session, refused);
    }
  }

  /**
   * No new streams; resolves when the last session has no stream left. What has no carrier now, or loses it from now
   * on, ends: it has no way back.
   */
  drain(graceMs: number): Promise<void> {
    const refusal = { code: wireOfCode('DRAINING'), reason: 'the egress is shutting down' };
    for (const session of [...this.#sessions.values()]) {
      if (session.driver.attached) session.driver.session.goaway(refusal, graceMs);
      else this.#end(session, { code: 'DRAINING', reason: refusal.reason }); // nobody may attach any more
    }
    return new Promise((resolve) => {
      this.#emptied = resolve;
      this.#checkEmpty();
    });
  }

  endAll(refusal: { readonly code: Code; readonly reason: string }): void {
    for (const session of [...this.#sessions.values()]) this.#end(session, refusal);
  }

  #found(
    carrier: Carrier,
    identity: PeerIdentity,
    { value: { value: hello }, rest }: { readonly value: Bound<Hello>; readonly rest: Uint8Array },
  ): Full | undefined {
    const tooOften = this.#tooOften(identity);
    if (tooOften) return tooOften;
    const lease = this.#admit(identity);
    if ('code' in lease) return lease;
    const { options } = this.#context;
    const id = randomBytes(16);
    const driver = new SessionDriver(
      {
        role: 'server',
        resumable: this.#resumes(hello),
        receiveWindow: options.window,
        sendWindow: hello.window,
        maxStreams: options.maxStreamsPerIdentity + refusedInFlight,
        replayLimitBytes: options.maxReplayPerSession,
        pingAfterMs: 0,
        deadAfterMs,
      },
      {
        opened: (stream, payload) => this.#serve(session, stream, payload),
        goaway: () => {
          /* the ingress opens streams, we do not: nothing to stop */
        },
        lost: (reason) => this.#lost(session, reason),
        ended: (refusal) => this.#forget(session, `${codeOfWire(refusal.code)}: ${refusal.reason}`),
      },
    );
    const session = new EgressSession({
      id,
      key: resumeKey(carrier, id),
      identity,
      lease,
      driver,
      resumable: this.#resumes(hello),
    });
    this.#sessions.set(id.toString('hex'), session);
    this.#context.log.info(
      {
        event: 'connected',
        session: session.name,
        identity: identity.uri,
        remote: carrier.remote,
        carrier: carrier.kind,
        resumed: false,
        agent: hello.agent,
      },
      'session opened',
    );
    this.#welcome(session, carrier, { kind: 'new', theirs: { offset: 0, partial: 0 }, rest });
    return undefined;
  }

  /** Do both ends want to resume? */
  #resumes(hello: Hello): boolean {
    return this.#context.options.resumeWindowMs > 0 && (hello.features & feature.resume) !== 0;
  }

  /**
   * A place for one more session; at the limit, the session of this identity that has been without a carrier for
   * longest makes room.
   */
  #admit(identity: PeerIdentity): Lease | Full {
    const lease = this.#context.limits.session(identity.uri);
    return 'code' in lease && this.#detached.makeRoom(identity.uri)
      ? this.#context.limits.session(identity.uri)
      : lease;
  }

  #resume(
    carrier: Carrier,
    identity: PeerIdentity,
    { value: bound, rest }: { readonly value: Bound<Hello>; readonly rest: Uint8Array },
  ): Full | undefined {
    const hello = bound.value;
    const session = this.#sessions.get(Buffer.from(hello.sessionId).toString('hex'));
    const why = this.#whyNot(session, carrier, { identity, bound });
    const moved = (session?.driver.session.lane.position.offset ?? 0) + hello.position.offset;
    // A path that breaks many times a second and still carries something in between is not held up.
    const tooOften = why === undefined && moved > session!.moved ? undefined : this.#tooOften(identity);
    if (tooOften) return tooOften;
    if (session === undefined || why !== undefined)
      return { ...notResumable, ...(why !== undefined && { detail: why }) };
    if (session.driver.attached) session.driver.detach();
    session.identity = identity;
    session.epoch = hello.epoch;
    session.moved = moved;
    this.#detached.remove(session);
    this.#context.log.info(
      {
        event: 'connected',
        session: session.name,
        identity: identity.uri,
        remote: carrier.remote,
        carrier: carrier.kind,
        resumed: true,
        epoch: hello.epoch,
      },
      'session resumed',
    );
    this.#welcome(session, carrier, { kind: 'resume', theirs: hello.position, rest });
    for (const stream of [...session.streams]) stream.recheck();
    return undefined;
  }

  #whyNot(
    session: EgressSession | undefined,
    carrier: Carrier,
    { identity, bound }: { readonly identity: PeerIdentity; readonly bound: Bound<Hello> },
  ): string | undefined {
    if (session === undefined) return 'no such session';
    if (!session.resumable) return 'the session does not resume';
    if (!sameIdentity(session.identity, identity)) return `the session belongs to ${session.identity.uri}`;
    if (!binderHolds({ key: session.key, side: 'client', carrier, covered: bound.covered }, bound.binder))
      return 'the binder does not hold';
    if (bound.value.epoch <= session.epoch) return `epoch ${bound.value.epoch} is not newer than ${session.epoch}`;
    if (!session.driver.session.lane.covers(bound.value.position))
      return `offset ${bound.value.position.offset} is not covered`;
    return undefined;
  }

  #welcome(
    session: EgressSession,
    carrier: Carrier,
    { kind, theirs, rest }: { readonly kind: 'new' | 'resume'; readonly theirs: Position; readonly rest: Uint8Array },
  ): void {
    const { options } = this.#context;
    const { position } = session.driver.session.lane;
    sendWelcome(
      carrier,
      {
        kind,
        version,
        features: session.resumable ? feature.resume : 0,
        sessionId: session.id,
        epoch: session.epoch,
        position,
        window: options.window,
        maxStreams: options.maxStreamsPerIdentity,
        resumeTtlS: Math.floor(options.resumeWindowMs / 1000),
        agent: options.agent,
        instance: this.#instance,
      },
      session.key,
    );
    session.remote = carrier.remote;
    session.driver.attach(carrier, theirs, rest);
  }

  #serve(session: EgressSession, stream: ConstructorParameters<typeof ServedStream>[0], payload: Uint8Array): void {
    const { options, limits, policy, services, record } = this.#context;
    const served: ServedStream = new ServedStream(stream, payload, {
      sessionId: session.name,
      identity: session.identity,
      policy,
      services,
      remote: () => session.remote,
      admit: () => limits.stream(session.identity.uri),
      dialTimeoutMs: options.dialTimeoutMs,
      idleTimeoutMs: options.idleTimeoutMs,
      record: (one) => record({ ...one, remote: session.remote }),
      ended: (over) => {
        session.streams.delete(over);
        if (this.#emptied) this.#checkEmpty();
      },
    });
    if (!stream.dead) session.streams.add(served);
  }

  #lost(session: EgressSession, reason: string): void {
    this.#context.log.info(
      {
        event: 'detached',
        session: session.name,
        identity: session.identity.uri,
        reason,
        streams: session.streams.size,
        heldBytes: session.heldBytes,
      },
      'carrier lost',
    );
    if (this.#emptied) {
      // nobody may attach any more
      this.#end(session, { code: 'DRAINING', reason: 'the egress is shutting down' });
      return;
    }
    if (session.resumable) this.#detached.add(session);
    else this.#end(session, { code: 'LINK_LOST', reason: 'the connection broke, and this session does not resume' });
  }

  /** Nobody of whom no rule speaks has a session; the ingress learns on its next attempt that this is final. */
  #stranger(identity: PeerIdentity): Full | undefined {
    return this.#context.policy().knows(identity)
      ? undefined
      : { code: 'IDENTITY_NOT_IN_POLICY', reason: `no rule names ${identity.uri} or its groups` };
  }

  #turnAway(session: EgressSession, refused: Full): void {
    this.#context.log.warn(
      {
        event: 'denied',
        session: session.name,
        identity: session.identity.uri,
        code: refused.code,
        reason: refused.reason,
      },
      'session ended',
    );
    this.#end(session, refused);
  }

  #end(session: EgressSession, { code, reason }: { readonly code: Code; readonly reason: string }): void {
    session.driver.end({ code: wireOfCode(code), reason });
    this.#forget(session, `${code}: ${reason}`);
  }

  #forget(session: EgressSession, reason: string): void {
    if (!this.#sessions.delete(session.id.toString('hex'))) return;
    this.#detached.remove(session);
    session.lease.release();
    this.#context.log.info(
      { event: 'disconnected', session: session.name, identity: session.identity.uri, reason },
      'session ended',
    );
    if (this.#emptied) this.#checkEmpty();
  }

  #checkEmpty(): void {
    for (const session of this.#sessions.values()) if (session.streams.size > 0) return;
    this.#emptied?.();
  }
}

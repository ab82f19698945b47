/**
 * The sessions of this egress: founding them, finding them again for a resume, ending them.
 * Rule: a resume changes nothing before everything about it is checked; from then on the session and its streams have
 * the identity of the new certificate. The peer is told one code, whatever was wrong; our log is told what it was.
 * Not here: who may come in, and what ends a client that may not stay (clients/).
 */
import { randomBytes } from 'node:crypto';
import type { Carrier, CarrierKind } from '@adit/shared/carrier/contract';
import { codeOfWire, type Refusal, wireOfCode } from '@adit/shared/errors';
import type { PeerIdentity } from '@adit/shared/identity/peer';
import type { Logger } from '@adit/shared/observe/logger';
import { type Bound, feature, type Hello, version } from '@adit/shared/protocol/hello';
import type { Position } from '@adit/shared/protocol/mux/lane';
import { sendWelcome } from '@adit/shared/session/accept';
import { SessionDriver } from '@adit/shared/session/session-driver';
import type { TurnBudget } from '@adit/shared/session/turn-budget';
import { resumeKey } from '@adit/shared/session/keys';
import type { Way } from '../clients/client.ts';
import type { Clients } from '../clients/clients.ts';
import type { SessionPlace } from '../limits/limits.ts';
import { Detached, type DetachedOptions } from './detached.ts';
import { Rates } from '../limits/rate.ts';
import { EgressSession } from './session.ts';

export interface SessionsOptions extends DetachedOptions {
  readonly window: number;
  readonly maxReplayPerSession: number;
  /** How many lanes a session may have; 1 for no further ones. */
  readonly maxLanesPerSession: number;
  readonly maxStreamsPerIdentity: number;
  readonly agent: string;
}

export interface SessionsContext {
  readonly options: SessionsOptions;
  readonly clients: Clients;
  readonly log: Logger;
}

/** A HELLO, and what was read behind it. */
interface Greeting {
  readonly value: Bound<Hello>;
  readonly rest: Uint8Array;
}

/** What both ends agreed on. */
interface Agreed {
  readonly resumable: boolean;
  readonly lanes: number;
}

interface LaneLine {
  readonly state: 'opened' | 'closed';
  readonly remote?: string;
  readonly reason?: string;
}

const start: Position = { offset: 0, partial: 0 };
/** Silence after which a carrier is given up; the ingress asks every ten seconds. */
const deadAfterMs = 45_000;
/**
 * Streams over the limit that are refused with an access record of their own; beyond them the session itself refuses.
 */
const refusedInFlight = 256;
/**
 * How often one identity may found a session, fail to resume one, or resume one of which the last carrier moved
 * nothing.
 */
const attachRate = { perSecond: 20, burst: 100 };
/** One answer for every reason: a stranger learns nothing about which sessions there are. */
const notResumable: Refusal = { code: 'NOT_RESUMABLE', reason: 'the egress does not know this session' };
const shuttingDown: Refusal = { code: 'DRAINING', reason: 'the egress is shutting down' };

export class Sessions {
  readonly #context: SessionsContext;
  readonly #instance = randomBytes(8).toString('hex');
  readonly #sessions = new Map<string, EgressSession>();
  readonly #detached: Detached<EgressSession>;
  readonly #rates = new Rates(attachRate);

  constructor(context: SessionsContext) {
    this.#context = context;
    this.#detached = new Detached(context.options, (session, refusal) => this.#end(session, refusal));
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Answers the HELLO of an admitted peer: the session is attached and welcomed, or the refusal is returned. */
  attach(carrier: Carrier, identity: PeerIdentity, hello: Greeting): Refusal | undefined {
    const { versions, kind } = hello.value.value;
    if (versions.min > version || versions.max < version)
      return {
        code: 'VERSION',
        reason: `this egress speaks version ${version}, the ingress ${versions.min} to ${versions.max}`,
      };
    if (kind === 'new') return this.#found(carrier, identity, hello);
    return kind === 'lane' ? this.#addLane(carrier, identity, hello) : this.#resume(carrier, identity, hello);
  }

  #found(carrier: Carrier, identity: PeerIdentity, { value: { value: hello }, rest }: Greeting): Refusal | undefined {
    const tooOften = this.#tooOften(identity);
    if (tooOften) return tooOften;
    const place = this.#place(identity);
    if ('code' in place) return place;
    const { clients, options } = this.#context;
    const id = randomBytes(16);
    const resumable = options.resumeWindowMs > 0 && (hello.features & feature.resume) !== 0;
    const lanes = resumable && (hello.features & feature.lanes) !== 0 ? options.maxLanesPerSession : 1;
    const driver = this.#drive(() => session, { hello, resumable, lanes, turns: place.turns });
    const session: EgressSession = new EgressSession({
      ...{ id, key: resumeKey(carrier, id), place, resumable, lanes, driver },
      client: clients.join({
        name: id.subarray(0, 6).toString('hex'),
        identity,
        remote: carrier.remote,
        way: this.#way(() => session),
      }),
    });
    this.#sessions.set(id.toString('hex'), session);
    session.client.connected({ ...factsOf(carrier), resumed: false, agent: hello.agent });
    this.#welcome(session, carrier, hello);
    session.driver.attach(carrier, start, rest);
    return undefined;
  }

  #drive(
    session: () => EgressSession,
    { hello, turns, ...agreed }: Agreed & { readonly hello: Hello; readonly turns: TurnBudget },
  ): SessionDriver {
    const { options } = this.#context;
    return new SessionDriver(
      {
        role: 'server',
        ...agreed,
        receiveWindow: options.window,
        sendWindow: hello.window,
        maxStreams: options.maxStreamsPerIdentity + refusedInFlight,
        replayLimitBytes: options.maxReplayPerSession,
        pingAfterMs: 0,
        deadAfterMs,
        turns,
      },
      {
        opened: (stream, payload) => session().client.serve(stream, payload),
        refused: () => session().client.wasted(),
        goaway: () => {
          /* the ingress opens streams, we do not: nothing to stop */
        },
        lost: (reason) => this.#lost(session(), reason),
        laneLost: (lane, reason) => this.#laneLost(session(), lane, reason),
        ended: ({ code, reason }) => this.#forget(session(), { code: codeOfWire(code), reason }),
      },
    );
  }

  /** A session without a carrier has no way back once nobody may attach: it ends at once. */
  #way(session: () => EgressSession): Way {
    return {
      leave: (graceMs, left) => {
        const { driver } = session();
        if (driver.attached)
          driver.goaway({ code: wireOfCode(shuttingDown.code), reason: shuttingDown.reason }, graceMs, left);
        else this.#end(session(), shuttingDown);
      },
      end: (refusal) => this.#end(session(), refusal),
    };
  }

  /**
   * A place for one more session; at the limit, the session of this identity that has been without a carrier for
   * longest makes room.
   */
  #place(identity: PeerIdentity): SessionPlace | Refusal {
    const { clients } = this.#context;
    const place = clients.place(identity);
    return 'code' in place && this.#detached.makeRoom(identity.uri) ? clients.place(identity) : place;
  }

  #tooOften({ uri }: PeerIdentity): Refusal | undefined {
    return this.#rates.take(uri, performance.now()) > 0
      ? { code: 'OVERLOAD', reason: `this identity attaches more than ${attachRate.perSecond} times a second` }
      : undefined;
  }

  #resume(carrier: Carrier, identity: PeerIdentity, { value: bound, rest }: Greeting): Refusal | undefined {
    const hello = bound.value;
    const { session, detail } = this.#find(carrier, identity, bound);
    const resumes = session !== undefined && detail === undefined;
    // A path that breaks many times a second and still carries something in between is not held up.
    const tooOften = resumes && session.movedBy(hello) > session.moved ? undefined : this.#tooOften(identity);
    if (tooOften) return tooOften;
    if (!resumes) return { ...notResumable, ...(detail !== undefined && { detail }) };
    session.moved = session.movedBy(hello);
    if (session.driver.attached) session.driver.detach();
    session.epoch = hello.epoch;
    this.#detached.remove(session);
    // before anything that rode behind HELLO is read: it is for streams of the new identity
    session.client.resumed(identity, carrier.remote);
    session.client.connected({ ...factsOf(carrier), resumed: true, epoch: hello.epoch });
    this.#welcome(session, carrier, hello);
    session.driver.attach(carrier, hello.position, rest);
    return undefined;
  }

  /** A further lane: asked for as a resume is, and refused without harm to the session. */
  #addLane(carrier: Carrier, identity: PeerIdentity, { value: bound, rest }: Greeting): Refusal | undefined {
    const tooOften = this.#tooOften(identity);
    if (tooOften) return tooOften;
    const { session, detail } = this.#find(carrier, identity, bound);
    if (session === undefined || detail !== undefined) return { ...notResumable, ...(detail && { detail }) };
    const place = this.#context.clients.lanePlace(identity);
    if ('code' in place) return place;
    const { lane } = bound.value;
    session.laneOpened(lane, place);
    session.client.resumed(identity, session.client.remote);
    this.#logLane(session, lane, { state: 'opened', remote: carrier.remote });
    this.#welcome(session, carrier, bound.value);
    session.driver.addLane(lane, carrier, rest);
    return undefined;
  }

  /** The session that a HELLO means, and why it may not have it. */
  #find(
    carrier: Carrier,
    identity: PeerIdentity,
    bound: Bound<Hello>,
  ): { readonly session?: EgressSession; readonly detail: string | undefined } {
    const session = this.#sessions.get(Buffer.from(bound.value.sessionId).toString('hex'));
    if (session === undefined) return { detail: 'no such session' };
    return { session, detail: session.whyNot(carrier, identity, bound) };
  }

  #welcome(session: EgressSession, carrier: Carrier, { kind, lane }: Hello): void {
    const { options } = this.#context;
    const position = lane === 0 ? session.driver.session.lane.position : start;
    sendWelcome(
      carrier,
      {
        kind,
        lane,
        lanes: session.lanes,
        version,
        features: (session.resumable ? feature.resume : 0) | (session.lanes > 1 ? feature.lanes : 0),
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
  }

  #laneLost(session: EgressSession, lane: number, reason: string): void {
    session.laneClosed(lane);
    this.#logLane(session, lane, { state: 'closed', reason });
  }

  #logLane({ client }: EgressSession, lane: number, what: LaneLine): void {
    const { name: session, identity } = client;
    this.#context.log.info({ event: 'lane', session, identity: identity.uri, lane, ...what }, `lane ${what.state}`);
  }

  #lost(session: EgressSession, reason: string): void {
    const { client, heldBytes, resumable } = session;
    this.#context.log.info(
      {
        event: 'detached',
        session: client.name,
        identity: client.identity.uri,
        reason,
        streams: client.streams,
        heldBytes,
      },
      'carrier lost',
    );
    if (this.#context.clients.draining) this.#end(session, shuttingDown);
    else if (resumable) this.#detached.add(session);
    else this.#end(session, { code: 'LINK_LOST', reason: 'the connection broke, and this session does not resume' });
  }

  #end(session: EgressSession, refusal: Refusal): void {
    session.driver.end({ code: wireOfCode(refusal.code), reason: refusal.reason });
    this.#forget(session, refusal);
  }

  #forget(session: EgressSession, { code, reason }: Refusal): void {
    if (!this.#sessions.delete(session.id.toString('hex'))) return;
    this.#detached.remove(session);
    session.release();
    session.client.left(`${code}: ${reason}`);
  }
}

/** For the log. */
function factsOf({ kind, tcp }: Carrier): { readonly carrier: CarrierKind; readonly congestion?: string } {
  return { carrier: kind, ...(tcp && { congestion: tcp.congestion }) };
}

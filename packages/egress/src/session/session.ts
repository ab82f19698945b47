/**
 * One session at the egress: its key, its driver, and the client whose streams it carries.
 * Rule: it resumes only for the identity that founded it, with its key on that very carrier, in a newer epoch, and from
 * a position that leaves no gap. A further lane is added to it as it is resumed; each has a place of its own.
 * Not here: which sessions there are, and for how long (sessions.ts).
 */
import type { Carrier } from '@adit/shared/carrier/contract';
import { type PeerIdentity, sameIdentity } from '@adit/shared/identity/peer';
import type { Bound, Hello } from '@adit/shared/protocol/hello';
import type { SessionDriver } from '@adit/shared/session/session-driver';
import { binderHolds } from '@adit/shared/session/keys';
import type { Client } from '../clients/client.ts';
import type { Lease } from '../limits/limits.ts';

/** What a session is made of. */
export interface Founding {
  readonly id: Buffer;
  readonly key: Buffer;
  readonly client: Client;
  /** Its place among the sessions of the identity. */
  readonly place: Lease;
  /** Both ends want to resume. */
  readonly resumable: boolean;
  /** How many lanes it may have, with lane 0. */
  readonly lanes: number;
  readonly driver: SessionDriver;
}

export class EgressSession {
  readonly id: Buffer;
  readonly key: Buffer;
  readonly client: Client;
  readonly place: Lease;
  readonly resumable: boolean;
  readonly lanes: number;
  readonly driver: SessionDriver;
  epoch = 0;
  /** Bytes that had arrived, both ways, when it was last resumed. */
  moved = 0;
  /** The places of its further lanes, by number. */
  readonly #lanePlaces = new Map<number, Lease>();

  constructor({ id, key, client, place, resumable, lanes, driver }: Founding) {
    this.id = id;
    this.key = key;
    this.client = client;
    this.place = place;
    this.resumable = resumable;
    this.lanes = lanes;
    this.driver = driver;
  }

  /** The identity it counts for. */
  get owner(): string {
    return this.client.identity.uri;
  }
  /** What was sent and not acknowledged, bytes. */
  get heldBytes(): number {
    return this.driver.session.unacked;
  }

  /** Bytes that have arrived, both ways, if the peer says the truth. */
  movedBy({ position }: Hello): number {
    return this.driver.session.lane.position.offset + position.offset;
  }

  /** Why this HELLO neither resumes the session nor adds a lane to it, for our log; undefined where it does. */
  whyNot(carrier: Carrier, identity: PeerIdentity, { value, binder, covered }: Bound<Hello>): string | undefined {
    if (!this.resumable) return 'the session does not resume';
    if (!sameIdentity(this.client.identity, identity)) return `the session belongs to ${this.owner}`;
    if (!binderHolds({ key: this.key, side: 'client', carrier, covered }, binder)) return 'the binder does not hold';
    if (value.kind === 'lane') return this.#whyNoLane(value.lane);
    if (value.epoch <= this.epoch) return `epoch ${value.epoch} is not newer than ${this.epoch}`;
    if (!this.driver.session.lane.covers(value.position)) return `offset ${value.position.offset} is not covered`;
    return undefined;
  }

  /** A further lane is there, and holds this place. */
  laneOpened(lane: number, place: Lease): void {
    this.#lanePlaces.set(lane, place);
  }

  laneClosed(lane: number): void {
    this.#lanePlaces.get(lane)?.release();
    this.#lanePlaces.delete(lane);
  }

  /** It has ended: gives back what it held. */
  release(): void {
    for (const lane of [...this.#lanePlaces.keys()]) this.laneClosed(lane);
    this.place.release();
  }

  #whyNoLane(lane: number): string | undefined {
    if (lane >= this.lanes) return `lane ${lane} is beyond the ${this.lanes} that were agreed on`;
    return this.driver.session.lanes.of(lane) && `lane ${lane} is there already`;
  }
}

/**
 * The lanes of one session: lane 0, which every session has, and further ones beside it.
 * Rule: what all lanes keep unacknowledged is bounded by the one replay limit of the session, for DATA and for control
 * frames alike. A lane may always keep a sixteenth, so that one that waits for its carrier stops no other.
 * Not here: which stream goes where (placement.ts).
 * Spec: docs/protocol.md section 3.10.
 */
import { ProtocolFault, wireCode } from '../refusal.ts';
import { controlLimitFactor, type LaneOptions } from './lane.ts';
import { type LaneOwner, SessionLane } from './session-lane.ts';

/** The part of the replay limit that each lane may always use. */
const shares = 16;

export class Lanes {
  readonly first: SessionLane;
  readonly #owner: LaneOwner;
  readonly #options: LaneOptions;
  #further: SessionLane[] = [];

  constructor(owner: LaneOwner, options: LaneOptions) {
    this.#owner = owner;
    this.#options = options;
    this.first = new SessionLane(0, owner, options);
  }

  /** There are further lanes now. */
  get several(): boolean {
    return this.#further.length > 0;
  }
  /** In the order of their numbers. */
  get all(): readonly SessionLane[] {
    return [this.first, ...this.#further];
  }
  /** Those whose peer may answer now; lane 0 if there is no carrier. */
  get asked(): readonly SessionLane[] {
    const attached = this.all.filter((lane) => lane.attached);
    return attached.length > 0 ? attached : [this.first];
  }
  get unacked(): number {
    let sum = this.first.unacked;
    for (const lane of this.#further) sum += lane.unacked;
    return sum;
  }

  of(number: number): SessionLane | undefined {
    return number === 0 ? this.first : this.#further.find((lane) => lane.number === number);
  }

  add(number: number): SessionLane {
    const lane = new SessionLane(number, this.#owner, this.#options);
    this.#further.push(lane);
    this.#further.sort((one, other) => one.number - other.number);
    return lane;
  }

  remove(lane: SessionLane): void {
    this.#further = this.#further.filter((one) => one !== lane);
  }

  /** Whether the limit of the session lets this lane keep more. */
  hasShare({ unacked }: SessionLane): boolean {
    const share = this.#options.replayLimitBytes / shares;
    return unacked < share || this.unacked < this.#options.replayLimitBytes - this.#further.length * share;
  }

  /** Throws ProtocolFault for a peer that makes us answer on all lanes and acknowledges nothing. */
  checkControl(): void {
    let owed = 0;
    for (const { lane } of this.all) owed += lane.controlOwed;
    if (owed > this.#options.replayLimitBytes * controlLimitFactor)
      throw new ProtocolFault(wireCode.excessive, 'the peer makes us answer and acknowledges nothing');
  }
}

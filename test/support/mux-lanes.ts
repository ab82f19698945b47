/**
 * A pair of mux sessions with several lanes, each over a simulated link of its own that dies at any byte.
 * Rule: as in mux-pair.ts; lane 0 is that of the pair. An end that loses the carrier of a further lane closes the lane,
 * as the driver does.
 */
import type { SessionLane } from '../../packages/shared/src/protocol/mux/session-lane.ts';
import type { Lease } from '../../packages/shared/src/protocol/mux/replay.ts';
import { MuxPair, other, type PairOptions, type Side } from './mux-pair.ts';

interface Link {
  attached: boolean;
  readonly out: Record<Side, Uint8Array[]>;
}

const sides = ['client', 'server'] as const;
const aheadBytes = 262_144;

export class LanesPair extends MuxPair {
  readonly links = new Map<number, Link>();
  constructor(options: PairOptions = {}) {
    super({ lanes: 8, ...options });
    this.links.set(0, { attached: true, out: this.link });
  }

  lane(side: Side, number: number): SessionLane | undefined {
    return this.ends[side].lanes.of(number);
  }
  get numbers(): number[] {
    return [...this.links.keys()];
  }

  /** A further lane comes; where WELCOME is lost, the server has it alone. */
  addLane(number: number, { welcomed = true } = {}): void {
    for (const side of sides)
      if (side === 'server' || welcomed) this.ends[side].addLane(number).attach({ offset: 0, partial: 0 });
    this.links.set(number, { attached: true, out: { client: [], server: [] } });
  }

  override laneClosed(_side: Side, lane: SessionLane): void {
    this.cutLane(lane.number);
  }

  /** Writes what an end has for a lane to its link. */
  flushLane(number: number, side: Side): void {
    const lane = this.lane(side, number);
    if (lane) this.#flush(lane, number, side);
  }

  /** Delivers at most `bytes` of what `from` wrote on a lane. */
  deliverLane(number: number, from: Side, bytes = Infinity): void {
    const link = this.links.get(number);
    for (let left = bytes; link?.attached && left > 0 && link.out[from].length > 0;) {
      const queue = link.out[from];
      const head = queue[0]!;
      const taken = head.subarray(0, Math.min(left, head.length));
      if (taken.length === head.length) queue.shift();
      else queue[0] = head.subarray(taken.length);
      left -= taken.length;
      this.delivered += taken.length;
      this.lane(other(from), number)?.receive(taken);
    }
  }

  /** The carrier dies. Of a further lane, an end may learn of that later than the other: `by` is who knows. */
  cutLane(number: number, by: Side | 'both' = 'both'): void {
    const link = this.links.get(number);
    if (!link) return;
    link.attached = false;
    if (number === 0) this.attached = false;
    for (const side of sides) {
      link.out[side].length = 0;
      const lane = this.lane(side, number);
      if (number === 0) lane!.detach();
      else if (lane && (by === 'both' || by === side)) this.ends[side].closeLane(lane);
    }
    if (number > 0 && !this.lane('client', number) && !this.lane('server', number)) this.links.delete(number);
  }

  override resume(): void {
    const link = this.links.get(0)!;
    if (link.attached) return;
    super.resume();
    link.attached = true;
  }

  /** As of the pair, with every lane. */
  override settle(): void {
    this.resume();
    for (let quiet = 0; quiet < 3;) {
      const before = this.delivered;
      for (const number of this.numbers) {
        // who has not noticed yet that a carrier died, or that the other end never took it, does so now
        if (number > 0 && !(this.links.get(number)?.attached && this.lane('client', number))) this.cutLane(number);
        for (const side of sides) {
          this.flushLane(number, side);
          this.deliverLane(number, side);
        }
      }
      this.nowMs += 5;
      for (const side of sides) for (const seen of this.streams[side].values()) if (!seen.over) seen.accept();
      quiet = this.delivered === before ? quiet + 1 : 0;
    }
  }

  #flush(lane: SessionLane, number: number, side: Side): void {
    const link = this.links.get(number)!;
    const queued = (): number => link.out[side].reduce((sum, { length }) => sum + length, 0);
    lane.lane.busy = queued() >= aheadBytes;
    lane.flush((bytes, done?: Lease) => {
      link.out[side].push(bytes.slice());
      done?.release();
      return queued() < aheadBytes;
    });
    lane.lane.busy = queued() >= aheadBytes;
  }
}

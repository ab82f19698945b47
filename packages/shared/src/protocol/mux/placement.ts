/**
 * Which lane a stream sends on, in a session that may have several: bulk keeps the lane whose window it has opened,
 * everything else moves away from it.
 * Rule: each end places its own direction. A stream moves only for a reason that lasts: it is light and its lane has
 * bulk, or it is bulk and shares its lane with older bulk. One lane stays without bulk, the one with the lowest number,
 * and new streams open there. Where there is only one lane, nothing moves.
 * Not here: when a lane is dialled or dropped (the ingress asks `wanted`), and what a move is (stream.ts).
 * Spec: docs/protocol.md section 3.10.
 */
import type { Lanes } from './lanes.ts';
import { Meter } from './meter.ts';
import type { SessionLane } from './session-lane.ts';
import type { MuxStream, StreamHost } from './stream.ts';

type Meters = Map<MuxStream, Meter>;

export class Placement {
  readonly #lanes: Lanes;
  readonly #streams: () => Iterable<MuxStream>;
  readonly #now: () => number;
  /** Of streams that moved much lately: what we send, and what we receive. */
  readonly #sent: Meters = new Map();
  readonly #received: Meters = new Map();
  #due = false;

  constructor(lanes: Lanes, streams: () => Iterable<MuxStream>, now: () => number) {
    this.#lanes = lanes;
    this.#streams = streams;
    this.#now = now;
  }

  /** Streams may have to move: call `arrange` soon. */
  get due(): boolean {
    return this.#due;
  }

  /** A stream sent, or its destination accepted, so much. */
  moved(stream: MuxStream, bytes: number, way: 'sent' | 'received'): void {
    const meters = way === 'sent' ? this.#sent : this.#received;
    const nowMs = this.#now();
    let meter = meters.get(stream);
    if (meter === undefined) meters.set(stream, (meter = new Meter(nowMs)));
    const before = meter.isBulk(nowMs);
    meter.add(bytes, nowMs);
    if (!before && meter.isBulk(nowMs)) this.#due = true;
  }

  forget(stream: MuxStream): void {
    this.#received.delete(stream);
    if (this.#sent.delete(stream)) this.#due = true;
  }

  /** A lane came, or is to be left. */
  changed(): void {
    this.#due = true;
  }

  /** How many lanes would serve: one for each stream of bulk, of the direction that has more, and one for the rest. */
  get wanted(): number {
    const bulk = Math.max(this.#bulk(this.#sent).length, this.#bulk(this.#received).length);
    return bulk === 0 ? 1 : bulk + 1;
  }

  /** Where a stream that has sent nothing yet sends: the lane that it came on, unless that one has bulk. */
  laneFor(preferred: SessionLane): SessionLane {
    if (!this.#lanes.several) return preferred;
    const load = this.#load();
    if (preferred.takes && !preferred.doubted && !load.has(preferred)) return preferred;
    const open = this.#lanes.all.filter(({ takes }) => takes);
    return (
      open.find((lane) => !load.has(lane) && !lane.doubted) ??
      open.find((lane) => !lane.doubted) ??
      open[0] ??
      preferred
    );
  }

  /** Moves the streams that should be elsewhere. */
  arrange(): void {
    this.#due = false;
    if (!this.#lanes.several) return;
    const { first } = this.#lanes;
    const bulk = this.#bulk(this.#sent);
    const load = new Set<StreamHost>();
    const crowded: MuxStream[] = [];
    for (const stream of bulk) {
      const { target } = stream;
      if (load.has(target) || target.closing) crowded.push(stream);
      else load.add(target);
    }
    const open = this.#lanes.all.filter(({ takes }) => takes);
    const free = open.filter((lane) => !load.has(lane));
    const forLight = free.shift();
    for (const stream of crowded) {
      const lane = free.shift() ?? (stream.target.closing ? (open.at(-1) ?? first) : undefined);
      if (lane === undefined) continue;
      load.add(lane);
      stream.moveTo(lane);
    }
    const light = forLight ?? open[0] ?? first;
    const known = new Set(bulk);
    for (const stream of this.#streams())
      if (!known.has(stream) && (stream.target.closing || (forLight && load.has(stream.target)))) stream.moveTo(light);
  }

  /** The lanes on which bulk is sent. */
  #load(): Set<StreamHost> {
    return new Set(this.#bulk(this.#sent).map(({ target }) => target));
  }

  /** In the order in which they began. */
  #bulk(meters: Meters): MuxStream[] {
    const nowMs = this.#now();
    const bulk: MuxStream[] = [];
    for (const [stream, meter] of meters)
      if (meter.isBulk(nowMs)) bulk.push(stream);
      else if (meter.isEmpty(nowMs)) meters.delete(stream);
    return bulk;
  }
}

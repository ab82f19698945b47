/**
 * Whole transfers over a simulated pair, driven only by what the sessions ask for, as the real driver does: a flush
 * after `wake`, an ACK after 25 ms, a turn after `writable`. A lost wake, a credit that is never given or a turn that
 * never comes shows as a transfer that stands still.
 * Rule: sources read while the stream takes more and wait for `writable` then; destinations give credit only when a
 * relay would learn of it. Carriers die, are swapped by one end while the other still writes to the old one, and
 * deliver in pieces of any size.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MuxPair, other, type Seen, type Side } from './mux-pair.ts';

export interface Transfer {
  readonly seed: number;
  /** Bytes of each stream: up, down. */
  readonly sizes: readonly (readonly [up: number, down: number])[];
  /** Carrier deaths per thousand steps; 0 on a session that does not resume. */
  readonly deaths: number;
  readonly resumable: boolean;
  readonly replayLimitBytes: number;
  /**
   * So many streams have a source that says something and then nothing until all others are done; they keep the turns
   * they are given.
   */
  readonly quiet: number;
  /** How often a destination does not take what it is given, in percent. */
  readonly slowness: number;
}

const sides = ['client', 'server'] as const;
const ackDelayMs = 25;
const aheadBytes = 262_144;
const highWaterBytes = 65_536;
const maxRead = 65_528;
const steps = 400;
/** Rounds without any byte moving after which a transfer counts as standing still; longer than every timer. */
const patience = 60;

/** One direction of one stream: its source at one end, its destination at the other. */
class Direction {
  reading = true;
  left: number;
  /** Given to the destination's socket and not yet taken by it. */
  queued = 0;
  needsDrain = false;
  readonly source: Seen;
  readonly side: Side;
  seenBytes = 0;

  constructor(source: Seen, side: Side, bytes: number) {
    this.source = source;
    this.side = side;
    this.left = bytes;
  }
}

function stateOf({ side, source, left, queued, reading }: Direction): Readonly<Record<string, unknown>> {
  return { side, stream: source.stream.id, left, queued, reading };
}

class Run {
  readonly pair: MuxPair;
  readonly #transfer: Transfer;
  readonly #directions: Direction[] = [];
  readonly #ackAt: Record<Side, number> = { client: Infinity, server: Infinity };
  readonly #blocked: Record<Side, boolean> = { client: false, server: false };
  #state: number;

  constructor(transfer: Transfer) {
    this.#transfer = transfer;
    this.#state = transfer.seed;
    this.pair = new MuxPair({ resumable: transfer.resumable, replayLimitBytes: transfer.replayLimitBytes });
    for (const [up] of transfer.sizes) this.#directions.push(new Direction(this.pair.open(), 'client', up));
  }

  run(): void {
    for (let step = 0; step < steps; step++) this.#step(true);
    let before = '';
    for (let still = 0; still < patience && !this.#done();) {
      this.#step(false);
      const now = JSON.stringify([this.pair.delivered, this.#directions.map(({ left, queued }) => [left, queued])]);
      still = now === before ? still + 1 : 0;
      before = now;
    }
    assert(this.#done(), `stands still: ${JSON.stringify(this.#directions.map(stateOf))}`);
    for (const side of sides) assert.equal(this.pair.ends[side].streamCount, 0, `streams live on at the ${side}`);
    for (const { source, side } of this.#directions) {
      const sink = this.pair.streams[other(side)].get(source.stream.id)!;
      assert.deepEqual(
        [sink.received, sink.ended, sink.over],
        [source.sent, true, undefined],
        `stream ${source.stream.id} from the ${side}`,
      );
    }
  }

  /** A number from 0 below `limit`. */
  #random(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000) * limit);
  }

  #done(): boolean {
    return (
      this.#directions.length === 2 * this.#transfer.sizes.length &&
      this.#directions.every(({ source, side }) => this.pair.streams[other(side)].get(source.stream.id)?.ended)
    );
  }

  /** One turn of the event loop of both ends; `wild` lets carriers die and destinations dawdle. */
  #step(wild: boolean): void {
    this.pair.nowMs += wild ? this.#random(12) : 5;
    if (wild) this.#mayDie();
    else this.pair.resume();
    for (const side of sides) {
      this.#flush(side);
      this.#deliver(side, wild ? this.#piece() : Infinity);
    }
    this.#answer();
    for (const direction of this.#directions) {
      this.#take(direction, wild && this.#random(100) < this.#transfer.slowness);
      if (!this.#keepsQuiet(direction)) this.#read(direction);
    }
    this.#bounded();
  }

  #keepsQuiet(direction: Direction): boolean {
    const { quiet } = this.#transfer;
    if (direction.source.sent === 0 || direction.source.stream.id >= 2 * quiet) return false;
    return this.#directions.some(({ source, left }) => source.stream.id >= 2 * quiet && left > 0);
  }

  #piece(): number {
    return this.#random(3) === 0 ? this.#random(40) : this.#random(200_000);
  }

  #mayDie(): void {
    const { pair } = this;
    if (!pair.attached) {
      if (this.#random(4) === 0) pair.resume();
      return;
    }
    if (this.#random(1_000) >= this.#transfer.deaths) return;
    // Half of the deaths are noticed by one end only: what the other one still writes goes nowhere.
    const late = this.#random(2) === 0 ? sides[this.#random(2)] : undefined;
    if (late) pair.flush(late);
    for (const side of sides) this.#ackAt[side] = Infinity;
    pair.cut();
    this.#blocked.client = this.#blocked.server = false;
  }

  #flush(side: Side): void {
    const { pair } = this;
    const due = pair.nowMs >= this.#ackAt[side];
    if (due) this.#ackAt[side] = Infinity;
    if (!pair.attached || !(pair.woken[side] || (due && pair.ends[side].lane.owesAck))) return;
    pair.woken[side] = false;
    pair.flush(side);
    if (pair.link[side].reduce((sum, { length }) => sum + length, 0) >= aheadBytes) this.#blocked[side] = true;
  }

  #deliver(from: Side, bytes: number): void {
    const { pair } = this;
    pair.deliver(from, bytes);
    const to = other(from);
    if (this.#ackAt[to] === Infinity && pair.ends[to].lane.owesAck) this.#ackAt[to] = pair.nowMs + ackDelayMs;
    if (this.#blocked[from] && pair.link[from].length === 0) {
      this.#blocked[from] = false;
      pair.woken[from] = true; // `drain`
    }
  }

  /** The egress accepts what was opened, and its services begin to send. */
  #answer(): void {
    for (const [index, [, down]] of this.#transfer.sizes.entries()) {
      const seen = this.pair.streams.server.get(2 * index + 1);
      if (!seen || this.#directions.some(({ source }) => source === seen)) continue;
      seen.stream.accept(new Uint8Array(0));
      this.#directions.push(new Direction(seen, 'server', down));
    }
  }

  /** The destination's side of a direction, as a relay and its socket have it. */
  #take(direction: Direction, dawdles: boolean): void {
    const { source, side } = direction;
    const sink = this.pair.streams[other(side)].get(source.stream.id);
    if (!sink || sink.over) return;
    const fresh = sink.received - direction.seenBytes;
    direction.seenBytes = sink.received;
    direction.queued += fresh;
    if (dawdles) {
      if (direction.queued >= highWaterBytes) direction.needsDrain = true;
      if (fresh > 0) sink.stream.accepted(sink.received - direction.queued);
      return;
    }
    const tell = fresh > 0 || direction.needsDrain;
    direction.queued = 0;
    direction.needsDrain = false;
    if (tell) sink.stream.accepted(sink.received);
  }

  #read(direction: Direction): void {
    const { source, side } = direction;
    if (source.turns > 0) {
      source.turns = 0;
      direction.reading = true;
    }
    if (!direction.reading || source.finSent || source.over) return;
    if (direction.left === 0) {
      this.pair.finish(side, source.stream.id);
      return;
    }
    const length = Math.min(direction.left, this.#random(3) === 0 ? 1 + this.#random(4_095) : maxRead);
    source.turns = 1; // what was allowed before is not asked again
    direction.reading = this.pair.send(
      side,
      source.stream.id,
      length,
      length < 4_096 ? 'copy' : this.#random(2) === 0 ? 'buffer' : 'view',
    );
    direction.left -= length;
  }

  #bounded(): void {
    const { sizes, replayLimitBytes } = this.#transfer;
    for (const side of sides) {
      const { log } = this.pair.ends[side].lane;
      assert(log.acked <= log.sent && log.sent <= log.head, 'offsets out of order');
      assert(
        log.unacked <= replayLimitBytes + sizes.length * highWaterBytes + 65_536,
        `${log.unacked} bytes kept at the ${side}`,
      );
    }
  }
}

const transfer: fc.Arbitrary<Transfer> = fc
  .record({
    seed: fc.nat(0x7fff_ffff),
    sizes: fc.array(fc.tuple(size(), size()), { minLength: 1, maxLength: 8, size: 'max' }),
    quiet: fc.constantFrom(0, 0, 5),
    deaths: fc.constantFrom(0, 5, 50, 300),
    resumable: fc.boolean(),
    replayLimitBytes: fc.constantFrom(1 << 18, 1 << 20),
    slowness: fc.constantFrom(0, 50, 95),
  })
  .map((one) => ({ ...one, deaths: one.resumable ? one.deaths : 0 }));

function size(): fc.Arbitrary<number> {
  return fc.oneof(fc.nat(3), fc.nat(5_000), fc.constant(66_000), fc.constant(180_000), fc.constant(400_000));
}

export function transferProperty(): fc.IProperty<[Transfer]> {
  return fc.property(transfer, (one) => {
    new Run(one).run();
  });
}

/**
 * How many bytes a lane may have unsent and unacknowledged: estimates that the acks drive.
 * Rule: the kernel owns what is in flight, and what is unsent is bounded (ADR 19). While no segment is lost, what is
 * unacknowledged has a cap too, `rate * (least round trip + slack) + what an ACK holds back + 64 KiB`: it keeps the
 * link full and the queue in front of it short, whatever the congestion control. A lost segment holds up the acks of a
 * whole round trip, so that such a cap would starve the link: after a loss there is none for ten seconds.
 * The rate is the greatest of the last second, the round trip the least of the last ten.
 */

/** The slack that the cap adds to the least round trip: as much again, within these bounds. */
const slackMs = { least: 4, most: 8 } as const;
const floorBytes = 65_536;
/** The peer acknowledges after so many bytes, or after so long: what it has received counts as in flight until then. */
const ackBytes = 131_072;
const ackMs = 25;
const firstCapBytes = 524_288;
const markEveryBytes = 32_768;
const rateWindowMs = 1_000;
const rttWindowMs = 10_000;
/** After a loss. */
const uncappedMs = 10_000;
/**
 * What is unsent: as much as leaves in this time, within these bounds. More where segments are lost: there it is not
 * what a stream waits for, and a connection that runs dry loses more.
 */
const unsentMs = { capped: 10, uncapped: 30 } as const;
const unsent = { least: 32_768, leastNear: 131_072, most: 1_048_576 } as const;

export class Flight {
  /** The most bytes that may be in flight now. */
  capBytes: number;
  /** How many bytes may wait before the kernel sends them; undefined before the first acks. */
  unsentBytes: number | undefined;
  /** The smoothed round trip; 0 before the first sample. */
  srttMs = 0;
  readonly #limitBytes: number;
  #minRttMs = 0;
  #minRttAt = 0;
  /** Bytes per millisecond. */
  #rate = 0;
  #rateAt = 0;
  // A queue of marks as flat triples: offset sent, time, offset acknowledged at that time.
  #marks: number[] = [];
  #lastMark = 0;
  #uncappedUntil = -Infinity;

  /** `limitBytes` is the most that replay may keep; it bounds the cap. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
    this.capBytes = Math.min(firstCapBytes, limitBytes);
  }

  /** The least round trip lately, ms; 0 before there is a sample. */
  get leastRttMs(): number {
    return this.#minRttMs;
  }

  /** Everything up to `offset` was written to the carrier. */
  sent(offset: number, acked: number, nowMs: number): void {
    if (offset - this.#lastMark < markEveryBytes && this.#marks.length > 0) return;
    this.#lastMark = offset;
    this.#marks.push(offset, nowMs, acked);
  }

  /** The peer acknowledged up to `offset`, and held that ack back for `holdMs`. */
  acknowledged(offset: number, holdMs: number, nowMs: number): void {
    const marks = this.#marks;
    let at = 0;
    while (at < marks.length && marks[at]! <= offset) at += 3;
    if (at === 0) return;
    const sentAt = marks[at - 2]!;
    const ackedThen = marks[at - 1]!;
    this.#marks = marks.slice(at);
    const elapsed = Math.max(0.01, nowMs - sentAt);
    const rtt = Math.max(0.01, elapsed - holdMs);
    this.measured(rtt);
    if (this.#minRttMs === 0 || rtt < this.#minRttMs || nowMs - this.#minRttAt > rttWindowMs) {
      this.#minRttMs = rtt;
      this.#minRttAt = nowMs;
    }
    const rate = (offset - ackedThen) / elapsed;
    if (rate > this.#rate || nowMs - this.#rateAt > rateWindowMs) {
      this.#rate = rate;
      this.#rateAt = nowMs;
    }
    if (nowMs < this.#uncappedUntil) {
      this.capBytes = this.#limitBytes;
      this.#boundUnsent(unsentMs.uncapped);
      return;
    }
    this.#boundUnsent(unsentMs.capped);
    const slack = Math.min(slackMs.most, Math.max(slackMs.least, this.#minRttMs));
    const unreported = Math.min(ackBytes, this.#rate * ackMs);
    const wanted = this.#rate * (this.#minRttMs + slack) + unreported + floorBytes;
    // A lane that sends little measures a small rate, which says nothing about the link. Therefore the cap never falls
    // below its start.
    this.capBytes = Math.min(
      this.#limitBytes,
      Math.max(wanted, this.#minRttMs > slackMs.most && this.#marks.length > 0 ? floorBytes * 2 : firstCapBytes),
    );
  }

  /** A round trip was measured. */
  measured(rttMs: number): void {
    this.srttMs = this.srttMs === 0 ? rttMs : this.srttMs + (rttMs - this.srttMs) / 8;
  }

  /** The kernel had to send again: for a while it alone decides what is in flight. */
  lost(nowMs: number): void {
    this.#uncappedUntil = nowMs + uncappedMs;
    this.capBytes = this.#limitBytes;
    if (this.unsentBytes !== undefined) this.#boundUnsent(unsentMs.uncapped);
  }

  #boundUnsent(ms: number): void {
    // As for the cap: a near lane that sends little says nothing about its link.
    const least = this.#minRttMs > slackMs.most ? unsent.least : unsent.leastNear;
    this.unsentBytes = Math.round(Math.min(unsent.most, Math.max(least, this.#rate * ms)));
  }

  /** There is a new carrier: measurements of the old one do not apply. */
  restart(offset: number): void {
    this.#marks = [];
    this.#lastMark = offset;
  }
}

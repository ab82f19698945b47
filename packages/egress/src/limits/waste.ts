/**
 * Streams that come to nothing: refused, or ended by the client before their service was connected. Each costs the
 * egress as much as one that is used, and its client next to nothing, so that they are counted for each identity.
 * Rule: the count belongs to the identity and survives its sessions. Whoever exceeds the rate is out for a moment, and
 * what comes to nothing meanwhile does not prolong that. Streams that reach their service are free.
 * Not here: what "out" means for a client (clients/).
 */
import type { Refusal } from '@adit/shared/errors';
import { Rates } from './rate.ts';

/** How many seconds' worth may come at once: a program that tries a thousand hosts, a session that is lost. */
const burstS = 20;
/** How long an identity that exceeds it is out; ms. A client that comes back at once comes back in vain. */
const outMs = 2_000;

export class Waste {
  readonly #perSecond: number;
  readonly #rates: Rates;
  /** Until when an identity is out, ms. */
  readonly #out = new Map<string, number>();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#rates = new Rates({ perSecond, burst: burstS * perSecond });
  }

  /** Identities in memory; for tests of leaks. */
  get size(): number {
    return this.#rates.size + this.#out.size;
  }

  /** A stream of this identity came to nothing. Refuses with EXCESSIVE if that is one too many. */
  add(identity: string, nowMs: number): Refusal | undefined {
    if (!this.#isOut(identity, nowMs) && this.#rates.take(identity, nowMs) > 0) {
      for (const [other, untilMs] of this.#out) if (nowMs >= untilMs) this.#out.delete(other);
      this.#out.set(identity, nowMs + outMs);
    }
    return this.refusal(identity, nowMs);
  }

  /** Why this identity is out now: EXCESSIVE. */
  refusal(identity: string, nowMs: number): Refusal | undefined {
    if (!this.#isOut(identity, nowMs)) return undefined;
    const rate = `${this.#perSecond} a second, ${burstS * this.#perSecond} at once`;
    return {
      code: 'EXCESSIVE',
      reason: `too many streams of this identity were refused, or given up before they were open: more than ${rate}`,
    };
  }

  #isOut(identity: string, nowMs: number): boolean {
    return nowMs < (this.#out.get(identity) ?? -Infinity);
  }
}

/**
 * Warns before a certificate that we show, or a revocation list, expires, and when it has: 14, 7 and 1 days before, at
 * the end, and once a day while less than a fifth of its lifetime is left.
 * Rule: one line if any of these holds when it is loaded; then one for each at its moment, until a newer one is loaded.
 * A number of days that is more than a third of the lifetime does not count: a certificate of a week is not about to
 * expire when it is new. Never keeps the process alive.
 * Not here: what happens after the expiry (credentials.ts, peer.ts).
 */
import type { X509Certificate } from 'node:crypto';
import { AditError } from '../errors.ts';
import type { Logger } from '../observe/logger.ts';
import type { Credentials } from './credentials.ts';
import type { RevocationList } from './revocation.ts';

/** A certificate that we show to others than the far half. */
export interface ShownCertificate {
  /** For the log: "certificate of --service-cert". */
  readonly what: string;
  readonly leaf: X509Certificate;
}

export interface Loaded {
  readonly credentials: Credentials;
  readonly revocation: RevocationList | undefined;
  readonly shown?: readonly ShownCertificate[];
}

export interface ExpiryOptions {
  /** What is in force now. */
  readonly loaded: () => Loaded;
  readonly log: Logger;
  readonly now?: () => Date;
  /** Longest time between checks, ms. */
  readonly everyMs?: number;
}

/** What expires, from when to when it is valid, and what to do. */
interface Expiring {
  readonly what: string;
  readonly from: Date;
  readonly until: Date;
  readonly advice: string;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** How long before the end there is a line, ms. */
const stagesMs = [14 * dayMs, 7 * dayMs, dayMs, 0];

export class ExpiryWatch {
  readonly #options: ExpiryOptions;
  readonly #warned = new Map<string, Date>();

  constructor(options: ExpiryOptions) {
    this.#options = options;
  }

  /** Checks now, at least once an hour, and at the moment when something expires, until the signal aborts. */
  start(signal: AbortSignal): void {
    let timer: NodeJS.Timeout | undefined;
    const checkAndWait = (): void => {
      this.check();
      timer = setTimeout(checkAndWait, this.#nextMs()).unref();
    };
    checkAndWait();
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }

  /** The files were loaded again: warns again of what still expires soon. */
  reloaded(): void {
    this.#warned.clear();
    this.check();
  }

  /** Warns of what has come nearer to its end since the last line about it. */
  check(): void {
    const now = this.#now();
    for (const { what, from, until, advice } of this.#expiring()) {
      const key = `${what} ${until.getTime()}`;
      if (!isDue({ from, until }, { now, last: this.#warned.get(key) })) continue;
      this.#warned.set(key, now);
      const leftMs = until.getTime() - now.getTime();
      const expired = leftMs <= 0;
      this.#options.log[expired ? 'error' : 'warn'](
        { event: 'expiring', what, until: until.toISOString(), hoursLeft: Math.floor(leftMs / hourMs), advice },
        expired ? `the ${what} has expired` : `the ${what} expires soon`,
      );
    }
  }

  #now(): Date {
    return (this.#options.now ?? (() => new Date()))();
  }

  /** Until the next check, ms. */
  #nextMs(): number {
    const now = this.#now().getTime();
    const ends = this.#expiring().map(({ until }) => until.getTime() - now);
    return Math.min(
      this.#options.everyMs ?? hourMs,
      ...ends.filter((leftMs) => leftMs > 0).map((leftMs) => leftMs + 1),
    );
  }

  #expiring(): Expiring[] {
    const { credentials, revocation, shown = [] } = this.#options.loaded();
    return [
      certificate({ what: 'certificate', leaf: credentials.leaf }, 'Renew it (adit ca issue ... --renew).'),
      ...shown.map((one) => certificate(one, 'Renew it, and write the new one to the same files.')),
      ...(revocation
        ? [
            {
              what: 'revocation list',
              from: revocation.thisUpdate,
              until: revocation.nextUpdate,
              advice: 'Make a new one with "adit ca crl" and copy the file here.',
            },
          ]
        : []),
    ];
  }
}

function certificate({ what, leaf }: ShownCertificate, advice: string): Expiring {
  return { what, from: leaf.validFromDate, until: leaf.validToDate, advice };
}

/** Is there something to say that the last line, if there was one, did not say? */
function isDue(
  { from, until }: Pick<Expiring, 'from' | 'until'>,
  { now, last }: { readonly now: Date; readonly last: Date | undefined },
): boolean {
  const leftMs = until.getTime() - now.getTime();
  const lifeMs = until.getTime() - from.getTime();
  const reached = stagesMs.filter((stageMs) => stageMs * 3 <= lifeMs && leftMs <= stageMs);
  const soon = endsSoon(from, until, now);
  if (last === undefined) return reached.length > 0 || soon;
  const leftThen = until.getTime() - last.getTime();
  return reached.some((stageMs) => leftThen > stageMs) || (soon && now.getTime() - last.getTime() >= dayMs);
}

/** Is less than a fifth of the lifetime left? */
export function endsSoon(from: Date, until: Date, now: Date): boolean {
  return (until.getTime() - now.getTime()) * 5 < until.getTime() - from.getTime();
}

/**
 * Throws REVOCATION_STALE for a list that is out of date: with it nobody is let in. A process starts with such a list
 * all the same, and waits for a newer one.
 */
export function refuseStale(list: RevocationList | undefined, file: string | undefined, now = new Date()): void {
  if (list?.isStale(now))
    throw new AditError(
      'REVOCATION_STALE',
      `The revocation list ${file} is out of date since ${list.nextUpdate.toISOString()}: with it nobody is trusted.`,
      { advice: 'Make a new one with "adit ca crl" and copy the file here.' },
    );
}

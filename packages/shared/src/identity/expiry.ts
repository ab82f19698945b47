/**
 * Says well before our own certificate or a revocation list ends that it has to be renewed: when less than a fifth of
 * its time is left.
 * Rule: one line for each when it was loaded, and one a day from then on, until a newer one is loaded; never keeps the
 * process alive.
 * Not here: what happens when it has ended (credentials.ts, peer.ts).
 */
import type { Logger } from '../observe/logger.ts';
import type { Credentials } from './credentials.ts';
import type { RevocationList } from './revocation.ts';

export interface Loaded {
  readonly credentials: Credentials;
  readonly revocation: RevocationList | undefined;
}

export interface ExpiryOptions {
  /** What is in force now. */
  readonly loaded: () => Loaded;
  readonly log: Logger;
  readonly now?: () => Date;
  /** How often to look, ms. */
  readonly everyMs?: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export class ExpiryWatch {
  readonly #options: ExpiryOptions;
  readonly #toldAt = new Map<string, Date>();

  constructor(options: ExpiryOptions) {
    this.#options = options;
  }

  /** Looks now, and every so often until the signal aborts. */
  start(signal: AbortSignal): void {
    this.look();
    const timer = setInterval(() => this.look(), this.#options.everyMs ?? hourMs).unref();
    signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  }

  /** Files were loaded again: what is still about to end is said again. */
  reloaded(): void {
    this.#toldAt.clear();
    this.look();
  }

  /** Says what is about to end and was not said today. */
  look(): void {
    const {
      credentials: { leaf },
      revocation,
    } = this.#options.loaded();
    this.#judge('certificate', {
      from: leaf.validFromDate,
      until: leaf.validToDate,
      advice: 'Renew it (adit ca issue ... --renew).',
    });
    if (revocation)
      this.#judge('revocation list', {
        from: revocation.thisUpdate,
        until: revocation.nextUpdate,
        advice: 'Make a new one with "adit ca crl" and copy the file here.',
      });
  }

  #judge(
    what: string,
    { from, until, advice }: { readonly from: Date; readonly until: Date; readonly advice: string },
  ): void {
    const now = (this.#options.now ?? (() => new Date()))();
    if (!endsSoon(from, until, now)) return;
    const told = this.#toldAt.get(what);
    if (told && now.getTime() - told.getTime() < dayMs) return;
    this.#toldAt.set(what, now);
    const hoursLeft = Math.floor((until.getTime() - now.getTime()) / hourMs);
    this.#options.log.warn(
      { event: 'expiring', what, until: until.toISOString(), hoursLeft, advice },
      hoursLeft < 0 ? `the ${what} has expired` : `the ${what} expires soon`,
    );
  }
}

/** Is less than a fifth of its time left? */
export function endsSoon(from: Date, until: Date, now: Date): boolean {
  return (until.getTime() - now.getTime()) * 5 < until.getTime() - from.getTime();
}

/**
 * Warns when our certificate or a revocation list expires soon: when less than a fifth of its lifetime is left.
 * Rule: one line for each when it is loaded, then one a day until a newer one is loaded; never keeps the process alive.
 * Not here: what happens after the expiry (credentials.ts, peer.ts).
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
  /** Interval between checks, ms. */
  readonly everyMs?: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export class ExpiryWatch {
  readonly #options: ExpiryOptions;
  readonly #warnedAt = new Map<string, Date>();

  constructor(options: ExpiryOptions) {
    this.#options = options;
  }

  /** Checks now, and at every interval until the signal aborts. */
  start(signal: AbortSignal): void {
    this.check();
    const timer = setInterval(() => this.check(), this.#options.everyMs ?? hourMs).unref();
    signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  }

  /** The files were loaded again: warns again of what still expires soon. */
  reloaded(): void {
    this.#warnedAt.clear();
    this.check();
  }

  /** Warns of what expires soon, once a day. */
  check(): void {
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
    const last = this.#warnedAt.get(what);
    if (last && now.getTime() - last.getTime() < dayMs) return;
    this.#warnedAt.set(what, now);
    const hoursLeft = Math.floor((until.getTime() - now.getTime()) / hourMs);
    this.#options.log.warn(
      { event: 'expiring', what, until: until.toISOString(), hoursLeft, advice },
      hoursLeft < 0 ? `the ${what} has expired` : `the ${what} expires soon`,
    );
  }
}

/** Is less than a fifth of the lifetime left? */
export function endsSoon(from: Date, until: Date, now: Date): boolean {
  return (until.getTime() - now.getTime()) * 5 < until.getTime() - from.getTime();
}

/**
 * The access records of the egress on their way to the log.
 * Rule: a stream that reached its service always has a record of its own. Of those that came to nothing, what one
 * identity makes beyond a rate is summed up in a line `streams` every second, so that a flood of them cannot fill the
 * log, nor hold up everybody else by writing it. On `adit:stream` each is published.
 * Spec: docs/logs.md.
 */
import { type AccessRecord, logStream, publishStream } from '@adit/shared/observe/access-record';
import type { Logger } from '@adit/shared/observe/logger';
import { Rates } from './limits/rate.ts';

/** Records of one identity for streams that came to nothing: 50 KiB a second, 500 KiB at once. */
const ownRecords = { perSecond: 100, burst: 1_000 } as const;
const sumUpEveryMs = 1_000;

interface Sum {
  streams: number;
  readonly codes: Map<string, number>;
}

export class AccessLog {
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #rates = new Rates(ownRecords);
  readonly #sums = new Map<string, Sum>();
  #timer: NodeJS.Timeout | undefined;

  /** `now`: a monotonic clock, ms. */
  constructor(log: Logger, now = (): number => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  record(record: AccessRecord): void {
    publishStream(record);
    const reached = record.dialMs !== undefined;
    if (reached || this.#rates.take(record.identity, this.#now()) === 0) logStream(this.#log, record);
    else this.#add(record);
  }

  /** Writes the sums that wait. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [identity, { streams, codes }] of this.#sums)
      this.#log.warn(
        { event: 'streams', identity, streams, codes: [...codes].map(([code, count]) => `${code} ${count}`) },
        'streams that came to nothing',
      );
    this.#sums.clear();
  }

  #add({ identity, code = 'NO_ERROR' }: AccessRecord): void {
    const sum = this.#sums.get(identity) ?? { streams: 0, codes: new Map<string, number>() };
    sum.streams++;
    sum.codes.set(code, (sum.codes.get(code) ?? 0) + 1);
    this.#sums.set(identity, sum);
    this.#timer ??= setTimeout(() => this.flush(), sumUpEveryMs).unref();
  }
}

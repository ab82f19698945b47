/**
 * What wrk says with `--latency`. Spec: the text of wrk 4.x; latencies come with a unit of their own, from `us` to `h`.
 */

export interface HttpRun {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Counted socket errors and answers that were no success, in wrk's words; empty when there were none. */
  readonly trouble: readonly string[];
}

const millisecondsPer: Readonly<Record<string, number>> = { us: 1e-3, ms: 1, s: 1e3, m: 60e3, h: 3_600e3 };

/** Parses the text. Fails when a number is missing or no request was answered. */
export function parseWrk(text: string): HttpRun {
  const requests = Number(find(text, /^\s*(\d+) requests in /m, 'requests')[1]);
  if (requests === 0)
    throw new Error(
      `wrk: no request was answered${troubleOf(text)
        .map((line) => `; ${line}`)
        .join('')}`,
    );
  return {
    requests,
    requestsPerSecond: Number(find(text, /^Requests\/sec:\s+([\d.]+)/m, 'requests per second')[1]),
    p50Ms: percentile(text, 50),
    p99Ms: percentile(text, 99),
    trouble: troubleOf(text),
  };
}

function percentile(text: string, which: number): number {
  const [, value, unit] = find(
    text,
    new RegExp(String.raw`^\s+${which}%\s+([\d.]+)(us|ms|s|m|h)\s*$`, 'm'),
    `${which}% latency`,
  );
  return Number(value) * millisecondsPer[unit!]!;
}

function troubleOf(text: string): string[] {
  return [/Socket errors: .*/, /Non-2xx or 3xx responses: \d+/].flatMap(
    (pattern) => pattern.exec(text)?.[0].trim() ?? [],
  );
}

function find(text: string, pattern: RegExp, what: string): RegExpExecArray {
  const match = pattern.exec(text);
  if (match === null)
    throw new Error(`wrk said nothing about ${what}: ${text.trim().slice(0, 200) || 'nothing at all'}`);
  return match;
}

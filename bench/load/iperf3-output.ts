/**
 * What `iperf3 -J` says at its end. Spec: the JSON of iperf3 3.x; `sum_received` counts what arrived, whichever way it
 * went.
 */

/** `bytes` that arrived, and how fast. */
export interface Transfer {
  readonly bytes: number;
  readonly bitsPerSecond: number;
}

/** Parses the JSON. Fails with iperf3's own words when the transfer failed or moved nothing. */
export function parseIperf3(text: string): Transfer {
  const report = parse(text);
  if (report.error !== undefined) throw new Error(`iperf3: ${report.error}`);
  const { bytes, bits_per_second: bitsPerSecond } = report.end?.sum_received ?? {};
  if (typeof bytes !== 'number' || typeof bitsPerSecond !== 'number')
    throw new Error('iperf3 said nothing about what arrived');
  if (bytes <= 0 || bitsPerSecond <= 0) throw new Error('iperf3: nothing arrived');
  return { bytes, bitsPerSecond };
}

interface Report {
  readonly error?: string;
  readonly end?: { readonly sum_received?: { readonly bytes?: unknown; readonly bits_per_second?: unknown } };
}

function parse(text: string): Report {
  try {
    return JSON.parse(text) as Report;
  } catch (cause) {
    throw new Error(`iperf3 wrote no JSON: ${text.trim().slice(0, 200) || 'nothing at all'}`, { cause });
  }
}

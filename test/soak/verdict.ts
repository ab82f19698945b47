/**
 * The verdict over a soak: what is wrong, each as a sentence. None is a pass.
 * Rule: nobody else noticed, everything was tried, memory and descriptors are back where they were.
 */
import type { Holding } from './measure.ts';
import type { Tally } from './tally.ts';

/**
 * What an echo of 64 bytes may take while everybody else is at work on the same cores, ms. One in fifty waits for a
 * resume, where the network is cut: they are not among the 95 of a hundred that count.
 */
export const maxMedianMs = 100;
export const maxP95Ms = 1_000;
/** What a process may have grown by, a rest after the warm-up and a rest after the end compared. */
export const maxGrowthBytes = 48 * 2 ** 20;

export interface Soak {
  readonly honest: readonly Tally[];
  readonly attacks: readonly Tally[];
  /** Processes of ours by name, at rest after the warm-up, and at rest at the end; undefined if it is gone. */
  readonly processes: Readonly<Record<string, { readonly before: Holding; readonly after: Holding | undefined }>>;
}

export function complaints({ honest, attacks, processes }: Soak): string[] {
  return [
    ...honest
      .filter(({ failed }) => failed > 0)
      .map(({ kind, failed, failures }) => `${kind}: ${failed} failed (${failures.join('; ')})`),
    ...[...honest, ...attacks].filter(({ done }) => done === 0).map(({ kind }) => `${kind}: not once carried out`),
    ...honest.filter(({ latenciesMs }) => latenciesMs.length > 0).flatMap(tooSlow),
    ...Object.entries(processes).flatMap(([name, held]) => grown(name, held)),
  ];
}

/** The value below which this part of the numbers lies. */
export function quantile(numbers: readonly number[], part: number): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

function tooSlow({ kind, latenciesMs }: Tally): string[] {
  const [median, p95] = [quantile(latenciesMs, 0.5), quantile(latenciesMs, 0.95)];
  if (median <= maxMedianMs && p95 <= maxP95Ms) return [];
  return [`${kind}: median ${median.toFixed(1)} ms of at most ${maxMedianMs}, p95 ${p95.toFixed(0)} of ${maxP95Ms}`];
}

function grown(name: string, { before, after }: { readonly before: Holding; readonly after: Holding | undefined }) {
  if (after === undefined) return [`${name}: it did not live to the end`];
  const growth = after.bytes - before.bytes;
  return [
    ...(growth > maxGrowthBytes
      ? [`${name}: grown by ${mebibytes(growth)} MiB, at most ${mebibytes(maxGrowthBytes)}`]
      : []),
    ...(after.descriptors > before.descriptors
      ? [`${name}: ${after.descriptors} descriptors open, ${before.descriptors} before`]
      : []),
  ];
}

export function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

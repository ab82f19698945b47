/** Statistics of a list of numbers. Rule: none returns NaN; those that need a value fail on an empty list. */

/** The middle value, or the mean of the two middle values. */
export function median(values: readonly number[]): number {
  const sorted = ordered(values);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The smallest value that at least `percent` of all values do not exceed (nearest rank). */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = ordered(values);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)]!;
}

/** Smallest and largest. */
export function range(values: readonly number[]): readonly [number, number] {
  const sorted = ordered(values);
  return [sorted[0]!, sorted.at(-1)!];
}

/**
 * How far values lie apart, as a part of their median: largest less smallest, from five values on without these two
 * themselves, so that one outlier is no noise. Undefined for fewer than three values, and for a median of 0.
 */
export function spread(values: readonly number[]): number | undefined {
  if (values.length < 3 || median(values) === 0) return undefined;
  const sorted = ordered(values);
  const [least, most] = range(sorted.length < 5 ? sorted : sorted.slice(1, -1));
  return (most - least) / Math.abs(median(values));
}

function ordered(values: readonly number[]): number[] {
  if (values.length === 0) throw new RangeError('there is no statistic of nothing');
  return values.toSorted((a, b) => a - b);
}

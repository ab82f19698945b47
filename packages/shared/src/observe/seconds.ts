/** Times in messages for people. */

/** "10 s", "1.12 s", "0.05 s": a time that was computed, or configured, in three digits or whole seconds. */
export function seconds(ms: number): string {
  const value = ms / 1000;
  return `${value < 1000 ? Number(value.toPrecision(3)) : Math.round(value)} s`;
}

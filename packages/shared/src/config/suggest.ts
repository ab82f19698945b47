/**
 * "Did you mean": the known word nearest to an unknown one.
 * Rule: suggests only what is near enough to be a typing error (a third of the word, and never more than three edits).
 */

const longest = 64;

/**
 * The nearest of `known`, or undefined if none is near. Edits are insert, delete, replace, and the swap of two
 * neighbours.
 */
export function suggest(unknown: string, known: Iterable<string>): string | undefined {
  if (unknown.length > longest) return undefined;
  let best: string | undefined;
  let fewest = Math.min(3, Math.max(1, Math.floor(unknown.length / 3))) + 1;
  for (const candidate of known) {
    const edits = distance(unknown.toLowerCase(), candidate.toLowerCase());
    if (edits < fewest) [best, fewest] = [candidate, edits];
  }
  return best;
}

/** `; did you mean "listen"?`, or nothing. */
export function didYouMean(unknown: string, known: Iterable<string>): string {
  const nearest = suggest(unknown, known);
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`;
}

/** Optimal string alignment distance: Levenshtein plus swaps, over three rows. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, before[j - 2]! + 1);
      row.push(least);
    }
    [before, above] = [above, row];
  }
  return above[b.length]!;
}

/**
 * Which build this is.
 * Rule: what a bundler puts in place of ADIT_COMMIT is believed; a checkout that runs from its own files has none.
 */

/** The commit that a bundle was built from: `--define:ADIT_COMMIT='"..."'` of the bundler. */
declare const ADIT_COMMIT: string | undefined;

/** The abbreviated hash of the commit, where it is known. */
export function commitOf(
  defined: unknown = typeof ADIT_COMMIT === 'undefined' ? undefined : ADIT_COMMIT,
): string | undefined {
  return typeof defined === 'string' && /^[0-9a-f]{7,64}$/.test(defined) ? defined.slice(0, 12) : undefined;
}

/**
 * Complaints about configuration, gathered so that a person can correct all of them at once.
 * Rule: everything wrong with one start is one AditError with one complaint a line; a complaint says where the mistake
 * is, what it is, and what to write.
 */
import { AditError, type Code } from '../errors.ts';
import { safeText } from '../observe/safe-text.ts';

export interface Complaint {
  readonly code: Code & ('USAGE' | 'CONFIG_INVALID' | 'CONFIG_UNKNOWN_KEY');
  readonly text: string;
  /** Position in the configuration file, which orders the complaints; absent for other sources. */
  readonly offset?: number;
}

/**
 * Throws all complaints as one error, those about the file in its order. The code is the one that they share, or
 * CONFIG_INVALID. Returns if there are none.
 */
export function refuse(complaints: readonly Complaint[]): void {
  const first = complaints[0];
  if (!first) return;
  const code = complaints.every((complaint) => complaint.code === first.code) ? first.code : 'CONFIG_INVALID';
  throw new AditError(
    code,
    complaints
      .toSorted((a, b) => (a.offset ?? -1) - (b.offset ?? -1))
      .map((complaint) => complaint.text)
      .join('\n'),
  );
}

/** Text of a user in quotes, escaped and cut, for a complaint. */
export function quote(text: string): string {
  return `"${safeText(text, { maxLength: 200 }).replaceAll('"', '\\"')}"`;
}

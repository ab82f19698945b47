/**
 * Complaints about configuration, gathered so that a person corrects all of them at once.
 * Rule: everything wrong with one start is one AditError, one complaint a line; a complaint says where, what, and what
 * to write.
 */
import { AditError, type Code } from '../errors.ts';
import { safeText } from '../observe/safe-text.ts';

export interface Complaint {
  readonly code: Code & ('USAGE' | 'CONFIG_INVALID' | 'CONFIG_UNKNOWN_KEY');
  readonly text: string;
  /** Where in the configuration file, for the order of the complaints; absent for what is not in it. */
  readonly offset?: number;
}

/**
 * Throws all complaints as one error, those about the file in its order, with their common code, else CONFIG_INVALID;
 * returns when there are none.
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

/** Text of a user in quotes, escaped and cut, for use in a complaint. */
export function quote(text: string): string {
  return `"${safeText(text, { maxLength: 200 }).replaceAll('"', '\\"')}"`;
}

/** What `adit ca show` finds out about one object in a file, and how it is printed. */
import { safeText } from '@adit/shared/observe/safe-text';

export interface Explanation {
  /** "certificate of the client alice". */
  readonly title: string;
  readonly facts: readonly (readonly [label: string, text: string])[];
  /** Whole sentences; empty when nothing is wrong. */
  readonly problems: readonly string[];
}

/** The lines to print. Text from the file is escaped. */
export function formatExplanation({ title, facts, problems }: Explanation): string {
  const width = Math.max(...facts.map(([label]) => label.length), 0);
  return [
    safeText(title),
    ...facts.map(([label, text]) => `  ${label.padEnd(width)}  ${safeText(text, { maxLength: 4096 })}`),
    ...(problems.length === 0
      ? ['  Nothing is wrong with it by itself.']
      : problems.map((problem) => `  WRONG: ${safeText(problem, { maxLength: 1024 })}`)),
    '',
  ].join('\n');
}

/** "2027-02-19T06:24:48.000Z (in 90 days)". */
export function formatDate(date: Date, now: Date): string {
  const exact = (date.getTime() - now.getTime()) / 86_400_000;
  // Rounded, so that a certificate of 90 days that is seconds old has 90 days left, not 89.
  const days = Math.abs(exact) < 1 ? 0 : Math.round(exact);
  const count = `${Math.abs(days)} day${Math.abs(days) === 1 ? '' : 's'}`;
  const distance =
    days === 0
      ? date < now
        ? 'less than a day ago'
        : 'in less than a day'
      : days > 0
        ? `in ${count}`
        : `${count} ago`;
  return `${date.toISOString()} (${distance})`;
}

/**
 * Levels for the journal of systemd: it reads `<3>` at the beginning of a line as the priority, and takes it away.
 * Rule: only if stderr is the journal itself (JOURNAL_STREAM names its device and inode): nobody else would take the
 * prefix away. What is left is the line that everybody gets.
 * Spec: sd-daemon(3), systemd.exec(5).
 */
import { fstatSync } from 'node:fs';

/** syslog(3): err, warning, info, debug. */
const priorities: Readonly<Record<string, number>> = { error: 3, warn: 4, info: 6, debug: 7 };

/** Is the file descriptor a stream of the journal? */
export function isJournal(
  { JOURNAL_STREAM: stream }: Readonly<Record<string, string | undefined>> = process.env,
  fd = 2,
): boolean {
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    return false; // closed
  }
}

/** The prefix for a JSON line of our log, which begins with its level. */
export function journalPrefix(json: string): string {
  return prefixOf(/^\{"level":"(\w+)"/.exec(json)?.[1] ?? 'info');
}

/** Each line of a text as an error. */
export function journalErrors(text: string): string {
  return text.replaceAll(/^(?=.)/gm, prefixOf('error'));
}

function prefixOf(level: string): string {
  return `<${priorities[level] ?? priorities['info']}>`;
}

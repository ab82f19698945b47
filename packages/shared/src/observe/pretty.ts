/**
 * One log event as one line for a person: time, level, event, message, then `key=value`.
 * Rule: shows every field of the JSON line and, in a warning or an error, the advice of its code, if the line has none
 * of its own. No colours under NO_COLOR or outside of a terminal.
 */
import { styleText } from 'node:util';
import { codes } from '../codes.ts';
import { isCode } from '../errors.ts';

type Style = Parameters<typeof styleText>[0];

const levelStyles: Readonly<Record<string, Style>> = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red' };

/**
 * A JSON line of the log as a readable line with its newline. `colour` overrides what the terminal supports.
 */
export function prettyLine(json: string, colour?: boolean): string {
  const { level, time, name: _, event, msg, ...rest } = JSON.parse(json) as Record<string, unknown>;
  const paint = (style: Style, text: string): string =>
    colour === false
      ? text
      : styleText(style, text, colour === true ? { validateStream: false } : { stream: process.stderr });
  const word = String(level);
  const { advice = adviceOf(word, rest), ...others } = rest;
  const fields = Object.entries({ ...others, ...(advice !== undefined && { advice }) }).map(
    ([key, value]) => `${paint('gray', `${key}=`)}${show(value)}`,
  );
  return (
    [
      paint('gray', clock(String(time))),
      paint(levelStyles[word] ?? 'white', word.padEnd(5)),
      paint('bold', String(event).padEnd(10)),
      ...(msg === undefined || msg === event ? [] : [typeof msg === 'string' ? msg : show(msg)]),
      ...fields,
    ]
      .join(' ')
      .trimEnd() + '\n'
  );
}

/** What the table advises on the code of a warning or an error. */
function adviceOf(level: string, { code }: Readonly<Record<string, unknown>>): string | undefined {
  return (level === 'warn' || level === 'error') && isCode(code) ? codes[code].advice : undefined;
}

/** Local time of day with milliseconds. */
function clock(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  const parts = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0'));
  return `${parts.join(':')}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

function show(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return value === '' || /[\s"=]/.test(value) ? JSON.stringify(value) : value;
}

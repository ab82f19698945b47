/**
 * The few requests of man(7) that the pages need.
 * Rule: text goes through `roff`, so that no line of it is taken for a request and every hyphen of a flag stays one
 * that can be copied.
 */

/** Text as roff shows it as it is. */
export function roff(text: string): string {
  return text
    .replaceAll('\\', '\\(rs')
    .replaceAll('-', '\\-')
    .replaceAll('~', '\\(ti')
    .replaceAll('^', '\\(ha')
    .replaceAll('`', '\\(ga')
    .replaceAll(/^([.'])/gm, '\\&$1');
}

export function bold(text: string): string {
  return `\\fB${roff(text)}\\fR`;
}
export function italic(text: string): string {
  return `\\fI${roff(text)}\\fR`;
}

/** One argument of a request. */
export function argument(text: string): string {
  return `"${text.replaceAll('"', '\\(dq')}"`;
}

/** A paragraph, a sentence to a line as man(7) wants it. */
export function paragraph(formatted: string): string {
  return `.PP\n${sentences(formatted)}`;
}
export function sentences(formatted: string): string {
  return formatted
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/([a-z)])([.?!]) (?=[A-Z])/g, '$1$2\n');
}

/** A tagged paragraph; both parts are formatted. */
export function tagged(tag: string, formatted: string): string {
  return `.TP\n${tag}\n${sentences(formatted)}`;
}

/** Lines that stay as they are. */
export function example(text: string): string {
  return `.PP\n.RS 4\n.EX\n${roff(text.replace(/\n+$/, ''))}\n.EE\n.RE`;
}

/** What a page is called and when it was made. */
export interface Title {
  /** `adit-egress`. */
  readonly name: string;
  readonly section: 1 | 5;
  /** For NAME: one line. */
  readonly summary: string;
}
export interface Edition {
  readonly version: string;
  /** `2026-11-21`. */
  readonly date: string;
}

/** A whole page; `body` begins with a section heading. */
export function page(title: Title, body: readonly string[], { version, date }: Edition): string {
  const { name, section, summary } = title;
  const head = [roff(name.toUpperCase()), String(section), date, `adit ${version}`, 'Adit manual'];
  return `${[
    `.TH ${head.map((part) => argument(part)).join(' ')}`,
    '.SH NAME',
    `${roff(name)} \\- ${roff(summary)}`,
    ...body,
  ]
    .join('\n')
    .replaceAll(/\n{2,}/g, '\n')
    .replaceAll(/^(\.S[HS] .*\n)\.PP\n/gm, '$1')}\n`; // a heading begins a paragraph by itself
}

/**
 * The page of one command in section 1, from its row: what help says, in the order of a man page.
 * Rule: a command with commands below it describes them all on its page. Not here: what a flag means; its row says it.
 */
import {
  type ArgumentRow,
  type CommandRow,
  everyRow,
  type FlagRow,
} from '../../packages/cli/src/completion/commands.ts';
import { bold, example, italic, paragraph, roff, sentences, tagged } from './roff.ts';

/** The sections of the page after NAME. */
export function commandPage(row: CommandRow, seeAlso: readonly string[]): string[] {
  const leaves = everyRow(row).slice(1).filter(isLeaf);
  const isProgram = row.path.length === 1;
  return [
    '.SH SYNOPSIS',
    ...(isProgram || leaves.length === 0 ? [synopsis(row)] : leaves.map(synopsis)),
    '.SH DESCRIPTION',
    sentences(roff(endingInStop(capital(row.description)))),
    ...(isProgram ? ['.SH COMMANDS', ...row.commands.map(commandLine)] : leaves.flatMap(leafSection)),
    ...(isProgram || leaves.length === 0 ? ['.SH OPTIONS', ...row.flags.map(flagEntry)] : []),
    ...(!isProgram && row.arguments.length > 0 ? ['.SH ARGUMENTS', ...row.arguments.map(argumentEntry)] : []),
    ...epilogue(row.epilogue),
    '.SH SEE ALSO',
    seeAlso.map((name) => reference(name)).join(',\n'),
  ];
}

/** `adit-config(5)` as a reference. */
export function reference(name: string): string {
  const [, page, section] = /^(.*)\((\d)\)$/.exec(name)!;
  return `${bold(page!)}(${section})`;
}

function isLeaf({ commands }: CommandRow): boolean {
  return commands.length === 0;
}

function synopsis(row: CommandRow): string {
  const args = row.arguments.map(({ name, required }) => (required ? italic(name) : `[${italic(name)}]`));
  const rest = row.commands.length > 0 ? [italic('command'), `[${italic('options')}]`] : [`[${italic('options')}]`];
  return `.PP\n${[bold(row.path.join(' ')), ...rest, ...args].join(' ')}`;
}

function commandLine(row: CommandRow): string {
  const page =
    row.commands.length === 0 || row.path.length === 2 ? ` See ${reference(`${row.path.join('-')}(1)`)}.` : '';
  return tagged(bold(row.path.join(' ')), roff(endingInStop(capital(row.summary))) + page);
}

function leafSection(row: CommandRow): string[] {
  return [
    `.SH ${roff(row.path.join(' ').toUpperCase()).replaceAll(' ', '\\~')}`,
    sentences(roff(endingInStop(capital(row.description)))),
    ...row.arguments.map(argumentEntry),
    ...row.flags.filter(({ long }) => long !== '--help').map(flagEntry),
    ...epilogue(row.epilogue).map((line) => line.replace(/^\.SH/, '.SS')),
  ];
}

function argumentEntry({ name, help, required }: ArgumentRow): string {
  return tagged(italic(name), `${roff(endingInStop(capital(help)))}${required ? '' : ' Optional.'}`);
}

function flagEntry({ short, long, value, help, variable }: FlagRow): string {
  const names = [short, long].filter((name) => name !== undefined).map((name) => bold(name));
  const from = variable === undefined ? '' : ` Variable: ${bold(variable)}.`;
  return tagged(`${names.join(', ')}${value ? ` ${italic(value.name)}` : ''}`, roff(endingInStop(help)) + from);
}

/**
 * The text that help shows at its end. A line that ends in a colon and stands alone is a heading; lines with four
 * spaces are commands; "Exit status:" is a section of its own.
 */
export function epilogue(text: string): string[] {
  const lines = text.split('\n');
  const out: string[] = [];
  let words: string[] = [];
  let code: string[] = [];
  const flush = (): void => {
    if (words.length > 0) out.push(...paragraphs(words));
    if (code.length > 0) out.push(example(code.join('\n')));
    words = [];
    code = [];
  };
  for (const line of lines) {
    const heading = /^(\S.*):$/.exec(line)?.[1];
    const isCode = /^ {4}/.test(line) || (/^ {2}adit|^ {2}psql/.test(line) && words.length === 0);
    if (heading !== undefined) {
      flush();
      out.push(`.SH ${roff(heading.toUpperCase())}`);
    } else if (line.trim() === '') flush();
    else if (isCode) {
      if (words.length > 0) flush();
      code.push(line.replace(/^ {2,4}/, ''));
    } else {
      if (code.length > 0 || /^[A-Z][a-z]+ [a-z]+: /.test(line)) flush();
      words.push(line.trim());
    }
  }
  flush();
  return out;
}

function paragraphs(words: readonly string[]): string[] {
  const text = words.join(' ');
  const status = /^Exit status: (.*)$/s.exec(text)?.[1];
  return status === undefined
    ? [paragraph(roff(text))]
    : ['.SH EXIT STATUS', sentences(roff(endingInStop(capital(status))))];
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
function endingInStop(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

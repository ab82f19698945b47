/**
 * The completion of fish: one `complete` for each flag, under the condition that its command was written.
 * Rule: the value of a flag is never taken for a command.
 */
import { isProgram } from './bash.ts';
import { type CommandRow, everyRow, gist, spellings, type ValueRow } from './commands.ts';

/** The script, from the rows of `adit`. */
export function fishCompletion(adit: CommandRow): string {
  const rows = everyRow(adit);
  const programs = rows.filter(isProgram).map(({ name }) => `adit-${name}`);
  return `# fish completion of adit; "adit completion fish" prints it.
function __adit_at -d 'Are the words so far those of this command?'
    set -l tokens (commandline -opc)
    set -l path adit
    switch (basename -- $tokens[1])
${programs.map((program) => `        case ${program}\n            set path 'adit ${program.slice(5)}'`).join('\n')}
    end
    set -l skip 0
    for token in $tokens[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- "$path $token" ${valued(rows)}
            set skip 1
        else if contains -- "$path $token" ${rows
          .slice(1)
          .map((row) => fishQuoted(row.path.join(' ')))
          .join(' ')}
            set path "$path $token"
        end
    end
    test "$path" = "$argv"
end
${['adit', ...programs].map((program) => `complete -c ${program} -f`).join('\n')}
${rows.flatMap((row) => linesOf(row)).join('\n')}
`;
}

function valued(rows: readonly CommandRow[]): string {
  return rows
    .flatMap(({ path, flags }) =>
      flags
        .filter(({ value }) => value)
        .flatMap((flag) => spellings(flag).map((spelling) => fishQuoted([...path, spelling].join(' ')))),
    )
    .join(' ');
}

function linesOf(row: CommandRow): string[] {
  const programs = row.path[1] !== undefined && isProgram(row) ? ['adit', `adit-${row.name}`] : ['adit'];
  const [argument] = row.arguments;
  const parts = [
    ...row.flags.map(({ short, long, help, value }) =>
      [
        ...(short === undefined ? [] : [`-s ${short.slice(1)}`]),
        ...(long === undefined ? [] : [`-l ${long.slice(2)}`]),
        ...(value ? [valueOf(value)] : []),
        `-d ${fishQuoted(gist(help))}`,
      ].join(' '),
    ),
    ...row.commands.map(({ name, summary }) => `-a ${name} -d ${fishQuoted(gist(summary))}`),
    ...(argument === undefined || argument.kind === 'text' ? [] : [argumentOf(argument)]),
  ];
  const condition = fishQuoted(`__adit_at ${row.path.join(' ')}`);
  return programs.flatMap((program) => parts.map((part) => `complete -c ${program} -n ${condition} ${part}`));
}

function valueOf(value: ValueRow): string {
  return value.kind === 'text' ? '-x' : `${value.kind === 'file' ? '-r' : '-x'} ${argumentOf(value)}`;
}

function argumentOf({ kind, words }: ValueRow): string {
  if (kind === 'words') return `-a ${fishQuoted(words.join(' '))}`;
  return kind === 'file' ? '-F' : `-a '(__fish_complete_directories)'`;
}

/** In single quotes, as fish reads them. */
function fishQuoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
}

/**
 * The completion of bash: one function, which needs nothing but bash 4 and its own tables.
 * Rule: `=` and `:` are where bash breaks words, so `--flag=VALUE` arrives as three of them. The value of a flag is
 * never taken for a command.
 */
import { type CommandRow, everyRow, type FlagRow, spellings, type ValueRow } from './commands.ts';

/** The script, from the rows of `adit`. */
export function bashCompletion(adit: CommandRow): string {
  const rows = everyRow(adit);
  const programs = rows.filter(isProgram).map(({ name }) => `adit-${name}`);
  return `# bash completion of adit; "adit completion bash" prints it.
_adit() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path=adit word words= i
  local -a options=()
  COMPREPLY=()
  if [[ $cur == = ]]; then cur=
  elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  case \${COMP_WORDS[0]##*/} in
${programs.map((program) => `    ${program}) path='adit ${program.slice(5)}' ;;`).join('\n')}
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "$path $word" in
      ${pattern(rows.flatMap(flagsWithValues))}) [[ \${COMP_WORDS[i+1]} == = ]] && ((i++)); ((i++)) ;;
      ${pattern(rows.slice(1).map(({ path }) => path.join(' ')))}) path="$path $word" ;;
    esac
  done
  case "$path $prev" in
${rows.flatMap(valueCases).join('\n')}
  esac
  case $path in
${rows.map(commandCase).join('\n')}
  esac
  if [[ $cur == -* ]]; then words="\${options[*]}"; fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
_adit_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
}
complete -F _adit adit ${programs.join(' ')}
`;
}

/** Is it a program by itself, too? */
export function isProgram({ path }: CommandRow): boolean {
  return path.length === 2 && (path[1] === 'ingress' || path[1] === 'egress');
}

function flagsWithValues(row: CommandRow): string[] {
  return row.flags.filter(({ value }) => value).flatMap((flag) => keysOf(row, flag));
}

/** `adit egress --listen`: a flag with its command. */
function keysOf(row: CommandRow, flag: FlagRow): string[] {
  return spellings(flag).map((spelling) => [...row.path, spelling].join(' '));
}

function valueCases(row: CommandRow): string[] {
  return row.flags.flatMap((flag) =>
    flag.value ? [`    ${pattern(keysOf(row, flag))}) ${offer(flag.value)}; return ;;`] : [],
  );
}

function offer({ kind, words }: ValueRow): string {
  if (kind === 'words') return `mapfile -t COMPREPLY < <(compgen -W ${quoted(words.join(' '))} -- "$cur")`;
  if (kind === 'text') return ':';
  return `_adit_files ${kind === 'file' ? '-f' : '-d'} "$cur"`;
}

function commandCase(row: CommandRow): string {
  const options = row.flags.flatMap((flag) => spellings(flag)).join(' ');
  const [argument] = row.arguments;
  const names = row.commands.map(({ name }) => name);
  const words = argument?.kind === 'words' ? argument.words : names;
  const files =
    argument?.kind === 'file' || argument?.kind === 'folder'
      ? ` [[ $cur == -* ]] || { ${offer(argument)}; return; };`
      : '';
  return `    ${quoted(row.path.join(' '))}) options=(${options}); words=${quoted(words.join(' '))};${files} ;;`;
}

function pattern(texts: readonly string[]): string {
  return texts.map((text) => quoted(text)).join('|');
}

/** In single quotes, for every shell of the family. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

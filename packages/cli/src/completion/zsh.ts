/**
 * The completion of zsh: a function for each command, by `_arguments`.
 * Rule: works as a file of `fpath` named `_adit`, and by `source <(adit completion zsh)` after compinit.
 */
import { isProgram, quoted } from './bash.ts';
import {
  type ArgumentRow,
  type CommandRow,
  everyRow,
  type FlagRow,
  gist,
  spellings,
  type ValueRow,
} from './commands.ts';

/** The script, from the rows of `adit`. */
export function zshCompletion(adit: CommandRow): string {
  const rows = everyRow(adit);
  const programs = rows.filter(isProgram).map(({ name }) => `adit-${name}`);
  return `#compdef adit ${programs.join(' ')}
# zsh completion of adit; "adit completion zsh" prints it.
${rows.map(functionOf).join('')}
_adit_of_program() {
  case $service in
${programs.map((program) => `    ${program}) _adit_${program.slice(5)} "$@" ;;`).join('\n')}
    *) _adit_command "$@" ;;
  esac
}
if [ "$funcstack[1]" = _adit ]; then
  _adit_of_program "$@"
else
  compdef _adit_of_program adit ${programs.join(' ')}
fi
`;
}

/** The top is not `_adit`: that is the name of the file, which zsh makes a function. */
function nameOf({ path }: CommandRow): string {
  return path.length === 1 ? '_adit_command' : `_${path.join('_').replaceAll('-', '_')}`;
}

function functionOf(row: CommandRow): string {
  const lines = row.flags.map(flagSpec);
  if (row.commands.length === 0)
    return `
${nameOf(row)}() {
  _arguments -s ${[...lines, ...row.arguments.map(argumentSpec)].join(' \\\n    ')}
}
`;
  const names = row.commands.map(({ name, summary }) => quoted(`${name}:${gist(summary)}`));
  return `
${nameOf(row)}() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands=(
    ${names.join('\n    ')}
  )
  _arguments -C ${[...lines, "'1: :->command'", "'*:: :->rest'"].join(' \\\n    ')} && return
  case $state in
    command) _describe command commands ;;
    rest)
      case $line[1] in
${row.commands.map((below) => `        ${below.name}) ${nameOf(below)} ;;`).join('\n')}
      esac ;;
  esac
}
`;
}

function flagSpec(flag: FlagRow): string {
  const names = spellings(flag);
  const help = `[${gist(flag.help).replaceAll(/[[\]\\:]/g, '\\$&')}]`;
  const value = flag.value ? `:${actionOf(flag.value)}` : '';
  const specs = names.map((name) => quoted(`${name}${flag.value && name.startsWith('--') ? '=' : ''}${help}${value}`));
  if (flag.many) return specs.map((spec) => `'*'${spec}`).join(' ');
  return specs.map((spec) => (names.length > 1 ? `'(${names.join(' ')})'${spec}` : spec)).join(' ');
}

function argumentSpec(argument: ArgumentRow): string {
  return quoted(`:${actionOf(argument)}`);
}

/** The message, and what can be written. */
function actionOf({ name, kind, words }: ValueRow): string {
  const action = { words: `(${words.join(' ')})`, file: '_files', folder: '_files -/', text: ' ' }[kind];
  return `${name.replaceAll(/[\\:]/g, '\\$&')}:${action}`;
}

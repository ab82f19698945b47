/**
 * The commands of `adit` as rows, read from what commander parses and from the tables of settings: the one source of
 * the completions and of the man pages.
 * Rule: nothing is written a second time. What help hides is hidden here.
 */
import type { Argument, Command, Option } from 'commander';
import { egressSettings } from '@adit/egress';
import { ingressSettings, stdioFlags } from '@adit/ingress';
import { type Setting, type Settings, variableOf } from '@adit/shared/config/setting';
import { wordsOf } from '@adit/shared/config/values/choice';

/** What is written after a flag, or in the place of an argument. */
export interface ValueRow {
  /** As help shows it: `HOST:PORT`, `file`. */
  readonly name: string;
  readonly kind: 'words' | 'file' | 'folder' | 'text';
  /** Of the kind `words`: all of them. */
  readonly words: readonly string[];
}

export interface FlagRow {
  /** `--listen`. Absent for a flag that has only a letter. */
  readonly long?: string;
  /** `-L`. */
  readonly short?: string;
  readonly help: string;
  /** Absent for a switch. */
  readonly value?: ValueRow;
  readonly many: boolean;
  /** The variable of the environment that gives the same. */
  readonly variable?: string;
}

export interface ArgumentRow extends ValueRow {
  readonly help: string;
  readonly required: boolean;
}

export interface CommandRow {
  readonly name: string;
  /** The words that lead to it: `['adit', 'ca', 'issue']`. */
  readonly path: readonly string[];
  /** One line, without a full stop. */
  readonly summary: string;
  readonly description: string;
  readonly arguments: readonly ArgumentRow[];
  readonly flags: readonly FlagRow[];
  /** What help shows after the flags. */
  readonly epilogue: string;
  readonly commands: readonly CommandRow[];
}

/** The settings of the commands that have a table. */
const tables: Readonly<Record<string, Settings>> = {
  'adit egress': egressSettings,
  'adit ingress': ingressSettings,
  'adit connect': stdioFlags,
};

/** The rows of a command and of all commands below it. */
export function commandRows(command: Command, above: readonly string[] = []): CommandRow {
  const path = [...above, command.name()];
  const settings = Object.values(tables[path.join(' ')] ?? {});
  const help = command.createHelp();
  return {
    name: command.name(),
    path,
    summary: command.summary() || command.description(),
    description: command.description(),
    arguments: command.registeredArguments.map((argument) => argumentRow(argument)),
    flags: help.visibleOptions(command).map((option) =>
      flagRow(
        option,
        settings.find(({ name }) => `--${name}` === option.long),
      ),
    ),
    epilogue: epilogueOf(command),
    commands: command.commands.filter((below) => below.name() !== 'help').map((below) => commandRows(below, path)),
  };
}

function argumentRow(argument: Argument): ArgumentRow {
  const name = argument.name();
  return {
    ...valueRow(name, argument.argChoices ?? []),
    help: argument.description,
    required: argument.required,
  };
}

function flagRow(option: Option, setting: Setting | undefined): FlagRow {
  const standard: unknown = option.defaultValue;
  const name = /[<[](.*)[>\]]$/.exec(option.flags)?.[1];
  const words = setting ? wordsOf(setting.parse) : (option.argChoices ?? []);
  const variable = setting ? variableOf(setting.name) : variables[option.long ?? ''];
  return {
    ...(option.long !== undefined && { long: option.long }),
    ...(option.short !== undefined && { short: option.short }),
    help: typeof standard === 'string' ? `${option.description} (default: ${standard})` : option.description,
    ...(name !== undefined && { value: valueRow(name, words) }),
    many: setting?.many === true || /\(repeatable\b/.test(option.description),
    ...(variable !== undefined && { variable }),
  };
}

/** Of flags that no table has. */
const variables: Readonly<Record<string, string>> = { '--config': 'ADIT_CONFIG', '--dir': 'ADIT_CA_DIR' };

function valueRow(name: string, words: readonly string[]): ValueRow {
  if (words.length > 0) return { name, kind: 'words', words };
  const kind = /^(?:FILE|PATH|.*\bfile)$/i.test(name) ? 'file' : /^dir$/i.test(name) ? 'folder' : 'text';
  return { name, kind, words };
}

/** What `addHelpText('after', ...)` was given. */
function epilogueOf(command: Command): string {
  let text = '';
  const write = (part: string): void => {
    text += part;
  };
  // Commander's Command is an EventEmitter, which its types do not say.
  (command as unknown as NodeJS.EventEmitter).emit('afterHelp', { error: false, command, write });
  return text.trim();
}

/** A row and all rows below it, the outer ones first. */
export function everyRow(row: CommandRow): CommandRow[] {
  return [row, ...row.commands.flatMap(everyRow)];
}

/** The spellings of a flag: `-L` and `--forward`. */
export function spellings({ short, long }: FlagRow): string[] {
  return [short, long].filter((spelling) => spelling !== undefined);
}

/** The start of a help text, short enough for a list of completions. */
export function gist(help: string): string {
  const start = help.replaceAll(/ \((?:required|repeatable|default)[^)]*\)$/g, '').split(/[;:.]\s/)[0]!;
  return start.length <= 92 ? start : `${start.slice(0, start.lastIndexOf(' ', 88))} ...`;
}

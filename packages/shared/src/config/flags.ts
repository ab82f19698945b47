/**
 * Declares a table of settings as the flags of a command.
 * Rule: commander only gathers texts; resolve.ts decides what they mean and which source wins. A secret never becomes a
 * flag.
 * Not here: commander itself. FlagTarget is the part of it that is used, so that this package does not depend on it.
 */
import { AditError } from '../errors.ts';
import type { Setting, Settings } from './setting.ts';

/** The part of commander's `Command` that this needs. */
export interface FlagTarget {
  option(
    flags: string,
    description: string,
    gather: (text: string | undefined, earlier: readonly string[] | undefined) => readonly string[],
  ): unknown;
}

/** Adds one flag for each setting, and `--config FILE`. */
export function declareFlags(command: FlagTarget, settings: Settings): void {
  for (const setting of Object.values(settings))
    if (!setting.secret) command.option(flagsOf(setting), describe(setting), gather);
  command.option('--config <FILE>', 'YAML file with any of these as keys', gather);
}

/** The part of commander's `Command` that `pointElsewhere` needs. */
export interface OptionTarget<O extends HiddenOption> {
  createOption(flags: string): O;
  addOption(option: O): unknown;
}

/** The part of commander's `Option`. */
export interface HiddenOption {
  hideHelp(): unknown;
  argParser(parse: () => never): unknown;
}

/** A flag that there is not, for whoever expects it: it fails with USAGE and these words. */
export function pointElsewhere<O extends HiddenOption>(command: OptionTarget<O>, flags: string, words: string): void {
  const option = command.createOption(flags);
  option.hideHelp();
  option.argParser(() => {
    throw new AditError('USAGE', words);
  });
  command.addOption(option);
}

/** The part of commander's `Command` that `declareVersion` needs. */
export interface VersionTarget<O extends { hideHelp(): unknown }> {
  version(text: string, flags: string, help: string): unknown;
  createOption(flags: string): O;
  addOption(option: O): unknown;
  on(event: string, listener: () => void): unknown;
}

/** `-v` and `--version`, and `-V`, which help does not show. */
export function declareVersion<O extends { hideHelp(): unknown }>(command: VersionTarget<O>, version: string): void {
  command.version(version, '-v, --version', 'print the version');
  const capital = command.createOption('-V');
  capital.hideHelp();
  command.addOption(capital);
  // Commander's Command is an EventEmitter, which its types do not say.
  command.on('option:V', () => (command as unknown as NodeJS.EventEmitter).emit('option:version'));
}

/** `client-ca` -> `clientCa`: the name under which commander keeps a flag. */
export function fieldOf(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** A switch has no text. */
const gather = (text: string | undefined, earlier: readonly string[] | undefined): readonly string[] => [
  ...(earlier ?? []),
  text ?? 'true',
];

function flagsOf({ name, short, argument }: Setting): string {
  return `${short === undefined ? '' : `-${short}, `}--${name}${argument === undefined ? '' : ` <${argument}>`}`;
}

function describe({ help, required, many, fallback, argument }: Setting): string {
  const notes = [
    required && 'required',
    many && 'repeatable',
    argument !== undefined && fallback !== undefined && `default ${fallback}`,
  ].filter((note) => typeof note === 'string');
  return notes.length === 0 ? help : `${help} (${notes.join(', ')})`;
}

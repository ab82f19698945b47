/**
 * Runs a command-line program from its arguments to its exit status: the one place where an error becomes text on
 * stderr.
 * Rule: an AditError prints one line, `adit: MESSAGE. ADVICE [CODE]` (one more for each further complaint), and exits
 * with the status of its code; wrong usage exits with 2; any other error is a bug, prints its stack and exits with 1.
 * It is no error if the reader of stdout leaves early, or if the terminal closes. SIGUSR1 opens no debugger.
 * Not here: commander. Program is the part of it that is used, so that this package does not depend on it.
 */
import { AditError, messageOf } from '../errors.ts';
import { isJournal, journalErrors } from '../observe/journal.ts';
import { safeText } from '../observe/safe-text.ts';
import { refuseDebugger } from './signals.ts';

/** The part of commander's `Command` that this needs. */
export interface Program {
  readonly commands: readonly Program[];
  exitOverride(): unknown;
  configureOutput(output: { outputError(): void }): unknown;
  parseAsync(argv: readonly string[]): Promise<unknown>;
}

/** The part of `process` that this needs. */
export interface Host {
  readonly argv: readonly string[];
  readonly versions: { readonly node: string };
  readonly stdout: {
    readonly isTTY?: boolean;
    on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
  };
  readonly stderr: {
    readonly isTTY?: boolean;
    on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
    write(text: string): unknown;
  };
  exitCode?: number | string | null | undefined;
}

/** Runs the program that `make` builds. Resolves when its command has ended and `exitCode` is set; never rejects. */
export async function runProgram(name: string, make: () => Program, host: Host = process): Promise<void> {
  refuseDebugger();
  for (const [stream, isTTY] of [
    [host.stdout, host.stdout.isTTY],
    [host.stderr, host.stderr.isTTY],
  ] as const)
    stream.on('error', (error) => {
      // A terminal that closed fails with EIO.
      if (error.code !== 'EPIPE' && !(isTTY && error.code === 'EIO')) throw error;
    });
  try {
    checkNode(host.versions.node);
    const program = make();
    takeOver(program);
    await program.parseAsync(host.argv);
  } catch (error) {
    const { text, status } = endingOf(name, error);
    if (text !== '') host.stderr.write(isJournal() ? journalErrors(text) : text);
    host.exitCode = status;
  }
}

/** The oldest major version of Node that Adit runs on, as `engines` of every package says too. */
const oldestNode = 24;

function checkNode(version: string): void {
  if (Number.parseInt(version, 10) < oldestNode)
    throw new AditError('USAGE', `This is Node ${version}, and Adit runs on Node ${oldestNode} or newer`);
}

/** Makes errors of usage exceptions, for the program and every command in it. */
function takeOver(program: Program): void {
  program.exitOverride();
  program.configureOutput({
    outputError: () => {
      /* runProgram prints it, like every other error */
    },
  });
  for (const command of program.commands) takeOver(command);
}

/** What an error prints and the exit status it means. */
export function endingOf(name: string, error: unknown): { readonly text: string; readonly status: number } {
  if (error instanceof AditError) return { text: failureText(name, error), status: error.exitStatus };
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code !== 'string' || !code.startsWith('commander.'))
    return {
      text: `${name}: a bug: ${error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error)}\n`,
      status: 1,
    };
  if (code === 'commander.helpDisplayed' || code === 'commander.version') return { text: '', status: 0 };
  // The command is missing: commander has printed the help with all commands to stderr.
  if (code === 'commander.help') return { text: '', status: (error as { exitCode?: number }).exitCode === 0 ? 0 : 2 };
  const message = messageOf(error)
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .trim();
  return { text: failureText(name, new AditError('USAGE', message)), status: 2 };
}

function failureText(name: string, error: AditError): string {
  const lines = error.message.split('\n').map((line) => `${name}: ${safeText(line, { maxLength: 2048 })}`);
  const last = lines.pop()!;
  return `${[...lines, `${/[.?!]$/.test(last) ? last : `${last}.`} ${error.advice} [${error.code}]`].join('\n')}\n`;
}

/**
 * One of our programs, run to its end inside the process of the test: its arguments, folder, environment and streams
 * are those of the run, its output and exit status the result.
 * Rule: one run at a time; afterwards `process` is as it was. The environment is that of a started program: ours
 * without every ADIT_ variable. Standard input is empty and no terminal.
 * Not here: signals, terminals, the end of a process. Tests of those start one (child.ts, source-program.ts).
 */
import { PassThrough, Writable } from 'node:stream';
import { type Program, runProgram } from '@adit/shared/process/run-program';

export interface ProgramOptions {
  /** Default: where the test runs. */
  readonly cwd?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program `name` that `make` builds, with these arguments, as its own `main.ts` would. */
export function runHere(
  { name, make }: { readonly name: string; readonly make: () => Program },
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Ended> {
  return captured(() => runProgram(name, make), { ...options, argv: [process.execPath, name, ...args] });
}

let running = false;

/** What `work` writes and the exit status it leaves; 0 where it sets none. */
export async function captured(
  work: () => Promise<unknown>,
  { cwd = process.cwd(), env = {}, argv = process.argv }: ProgramOptions & { readonly argv?: readonly string[] } = {},
): Promise<Ended> {
  if (running) throw new Error('another program runs in this process: wait for its end');
  running = true;
  const stdin = new PassThrough().end();
  const [stdout, stderr] = [new Captured(), new Captured()];
  const ours = Object.entries(process.env).filter(([variable]) => !variable.startsWith('ADIT_'));
  const parts = { argv, stdin, stdout, stderr, exitCode: undefined, env: { ...Object.fromEntries(ours), ...env } };
  const before = Object.keys(parts).map((part) => [part, Object.getOwnPropertyDescriptor(process, part)!] as const);
  const folder = process.cwd();
  try {
    for (const [part, value] of Object.entries(parts))
      Object.defineProperty(process, part, { value, writable: true, configurable: true, enumerable: true });
    process.chdir(cwd);
    await work();
    return { code: Number(process.exitCode ?? 0), stdout: stdout.text, stderr: stderr.text };
  } finally {
    process.chdir(folder);
    for (const [part, descriptor] of before) Object.defineProperty(process, part, descriptor);
    running = false;
  }
}

/** A stream that keeps what is written to it. */
class Captured extends Writable {
  text = '';
  constructor() {
    super({ decodeStrings: false });
  }
  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/**
 * The processes of a run: each leads a session of its own, so that all it forks can be counted and ended with it.
 * Rule: whatever was started is in `living` until it is gone; `killAll` works from an exit handler, without waiting.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const living = new Set<Child>();
const termPatienceMs = 1000;

export interface StartOptions {
  /** How complaints call it; default the program. */
  readonly name?: string;
  /** Where stdout and stderr go, appended; without it they are pipes. */
  readonly logFile?: string;
}

export class Child {
  readonly name: string;
  /** Also the id of its session and process group. */
  readonly pid: number;
  readonly process: ChildProcess;
  /** Resolves when it is gone, never rejects. */
  readonly exit: Promise<void>;
  readonly #logFile: string | undefined;
  #failure: Error | undefined;

  constructor(command: readonly string[], { name = command[0]!, logFile }: StartOptions = {}) {
    this.name = name;
    this.#logFile = logFile;
    const log = logFile === undefined ? undefined : openSync(logFile, 'a');
    const stdio: StdioOptions = log === undefined ? ['pipe', 'pipe', 'pipe'] : ['ignore', log, log];
    this.process = spawn(command[0]!, command.slice(1), { stdio, detached: true, env: environment() });
    if (log !== undefined) closeSync(log);
    this.pid = this.process.pid ?? -1;
    if (this.pid > 0) living.add(this);
    this.exit = new Promise((resolve) => {
      this.process.once('error', (error) => {
        this.#failure = error;
        resolve();
      });
      this.process.once('exit', () => resolve());
    });
  }

  get running(): boolean {
    return this.pid > 0 && this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Why it ended, with the last lines of its log. */
  complaint(): string {
    const why = this.#failure?.message ?? `ended with ${this.process.exitCode ?? this.process.signalCode}`;
    const log = this.#logFile === undefined ? '' : tail(readFileSync(this.#logFile, 'utf8'));
    return `${this.name} ${why}${log === '' ? '' : `: ${log}`}`;
  }

  /** SIGTERM, then SIGKILL, to it and all it started; resolves when it is gone. */
  async stop(): Promise<void> {
    if (this.running) {
      this.#signal('SIGTERM');
      await Promise.race([this.exit, pause(termPatienceMs, undefined, { ref: false })]);
    }
    this.kill();
    await this.exit;
  }

  /** SIGKILL to it and all it started. */
  kill(): void {
    this.#signal('SIGKILL');
    living.delete(this);
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.pid <= 0) return;
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Ends everything that is still there. */
export function killAll(): void {
  for (const child of [...living]) child.kill();
}

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. Fails when it cannot be started or is not done in time. */
export async function run(
  command: readonly string[],
  { timeoutMs, ...options }: StartOptions & { readonly timeoutMs: number },
): Promise<Finished> {
  const child = new Child(command, options);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill();
  }, timeoutMs);
  try {
    child.process.stdin?.end();
    const [stdout, stderr] = await Promise.all([text(child.process.stdout), text(child.process.stderr), child.exit]);
    if (late) throw new Error(`${child.name} was not done after ${timeoutMs / 1000} s`);
    if (child.pid <= 0) throw new Error(child.complaint());
    return { status: child.process.exitCode, stdout, stderr };
  } finally {
    clearTimeout(timer);
    child.kill();
  }
}

/** The last lines of a text that say something (stack frames do not), on one line, for complaints. */
export function tail(text: string, lines = 4): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^at |^Node\.js v/.test(line))
    .slice(-lines)
    .join(' | ')
    .slice(-600);
}

async function text(stream: NodeJS.ReadableStream | null): Promise<string> {
  if (stream === null) return '';
  let all = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) all += String(chunk);
  return all;
}

/** Our environment, without the variables that configure Adit. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ADIT_')));
}

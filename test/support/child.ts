/**
 * Real processes of a test: started in a process group of their own, listened to line by line, gone at the end.
 * Rule: what is waited for is a line or an exit, never a time; a wait that fails shows what the process said.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { atEnd, within } from './scope.ts';

export interface StartOptions {
  readonly cwd?: string;
  /** Added to the environment; undefined removes. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Its name in error messages; default: the command. */
  readonly name?: string;
  /** A program and arguments that start the command in another environment and become it (`unshare`, `nice`). */
  readonly prefix?: readonly string[];
  /** Hard and soft limit of open files. */
  readonly maxFiles?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** How to end it; default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** It reads commands from stdin (see `say`), which ends with the test. */
  readonly listens?: boolean;
}
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Child {
  readonly name: string;
  readonly pid: number;
  readonly exit: Promise<Exit>;
  /** Lines of stdout and stderr as they came. */
  readonly lines: string[] = [];
  readonly #process: ChildProcess;
  readonly #stopSignal: NodeJS.Signals;
  readonly #watchers = new Set<() => void>();
  #exited: Exit | undefined;

  constructor(command: string, args: readonly string[], options: StartOptions = {}) {
    this.name = options.name ?? command;
    this.#stopSignal = options.stopSignal ?? 'SIGTERM';
    const limit =
      options.maxFiles === undefined ? [] : ['/bin/sh', '-c', 'ulimit -n "$0" && exec "$@"', String(options.maxFiles)];
    const [program, ...parameters] = [...(options.prefix ?? []), ...limit, command, ...args] as [string, ...string[]];
    this.#process = spawn(program, parameters, {
      stdio: [options.listens === true ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...cleanEnvironment(), ...options.env },
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      ...(options.uid !== undefined && { uid: options.uid, gid: options.gid }),
    });
    this.#process.stdin?.on('error', () => {
      /* it ended: its exit says so */
    });
    this.pid = this.#process.pid ?? -1;
    const closed = [this.#process.stdout!, this.#process.stderr!].map(
      (stream) =>
        new Promise<void>((resolve) => {
          createInterface(stream)
            .on('line', (line) => {
              this.lines.push(line);
              this.#wake();
            })
            .on('close', resolve);
        }),
    );
    const ended = new Promise<Exit>((resolve, reject) => {
      this.#process.on('error', reject);
      this.#process.on('exit', (code, signal) => {
        this.#exited = { code, signal };
        this.#wake();
        resolve(this.#exited);
      });
    });
    this.exit = ended.then(async (exit) => {
      await Promise.all(closed);
      return exit;
    });
    this.exit.catch(() => {});
    living.add(this);
    atEnd(() => this.stop());
  }

  get running(): boolean {
    return this.#exited === undefined;
  }
  /** Its last lines, for error messages. */
  get output(): string {
    return `${this.name} said:\n${this.lines.slice(-60).join('\n')}`;
  }

  /**
   * The first value that `find` returns for the lines of the process, past or future. Fails when the process exits
   * before, or after `ms`.
   */
  async until<T>(what: string, find: () => T | undefined, ms = 30_000): Promise<T> {
    const found = new Promise<T>((resolve, reject) => {
      const look = (): void => {
        const value = find();
        if (value === undefined && this.running) return;
        this.#watchers.delete(look);
        if (value !== undefined) resolve(value);
        // Its last lines may still be in the pipe.
        else
          this.exit.then(() => {
            const last = find();
            if (last !== undefined) resolve(last);
            else reject(new Error(`${what}: ${this.name} ended before\n${this.output}`));
          }, reject);
      };
      this.#watchers.add(look);
      look();
    });
    return within(ms, `${this.name}: ${what}`, found, () => this.output);
  }

  /** The first line, past or future, that matches. */
  line(pattern: RegExp, ms?: number): Promise<RegExpExecArray> {
    return this.until(
      `a line like ${pattern}`,
      () => {
        for (const line of this.lines) {
          const match = pattern.exec(line);
          if (match !== null) return match;
        }
        return undefined;
      },
      ms,
    );
  }

  /** A line to its stdin. */
  say(line: string): void {
    if (this.#process.stdin === null) throw new Error(`${this.name} does not listen`);
    this.#process.stdin.write(`${line}\n`);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) process.kill(this.pid, signal);
  }

  /** Sends its stop signal, and SIGKILL to its whole group if it does not end. Resolves when it is gone. */
  async stop(signal = this.#stopSignal, patienceMs = 30_000): Promise<Exit> {
    this.signal(signal);
    try {
      return await within(patienceMs, `${this.name} after ${signal}`, this.exit, () => this.output);
    } finally {
      this.#killGroup();
      living.delete(this);
    }
  }

  /** SIGKILL, as a crash would. */
  kill(): Promise<Exit> {
    this.#killGroup();
    return this.exit;
  }

  /** The last resort when the test run itself ends early. */
  abandon(): void {
    this.#killGroup();
  }

  #killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      /* the group is empty */
    }
  }
  #wake(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

const living = new Set<Child>();
process.on('exit', () => {
  for (const child of living) child.abandon();
});

export interface Finished extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}
export interface RunOptions extends StartOptions {
  readonly input?: string | Buffer;
  readonly timeoutMs?: number;
}

/** Runs a program to its end. Resolves with its output and status. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = spawn(command, [...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    env: { ...cleanEnvironment(), ...options.env },
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.uid !== undefined && { uid: options.uid, gid: options.gid }),
  });
  const kill = (): void => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      /* it is gone */
    }
  };
  atEnd(kill);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin.on('error', () => {
    /* it may end without reading all of it */
  });
  child.stdin.end(options.input);
  const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString();
  try {
    const exit = await within(
      options.timeoutMs ?? 60_000,
      `${command} ${args.join(' ')}`,
      new Promise<Exit>((resolve, reject) => {
        child.on('error', reject);
        child.on('close', (code, signal) => {
          resolve({ code, signal });
        });
      }),
      () => text(err),
    );
    return { ...exit, stdout: text(out), stderr: text(err) };
  } finally {
    kill();
  }
}

/** Like `run`; anything but status 0 is an error that shows what was said. */
export async function succeed(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const finished = await run(command, args, options);
  if (finished.code !== 0)
    throw new Error(
      `${command} ${args.join(' ')} ended with ${finished.code ?? finished.signal}\n` +
        `${finished.stderr}${finished.stdout.slice(-2000)}`,
    );
  return finished;
}

/** The environment without the variables that configure Adit, Node or proxies. */
function cleanEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && !/^(ADIT_|NODE_OPTIONS$|JEST_|https?_proxy$|all_proxy$|no_proxy$|PG)/i.test(entry[0]),
    ),
  );
}

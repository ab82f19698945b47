/**
 * The processes of the demo: each leads a group of its own, is listened to line by line, and is gone at the end.
 * Rule: what is waited for is a line, a message or an exit, never a time; a wait has a deadline and then shows what the
 * process said.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}
export interface LogLine {
  readonly event?: string;
  readonly [field: string]: unknown;
}

const deadlineMs = 20_000;
const stopPatienceMs = 5_000;
const living = new Set<Child>();
let collapse: (error: Error) => void;

/** Rejects when a process that should stay has ended by itself. */
export const collapsed = new Promise<never>((_, reject) => {
  collapse = reject;
});
collapsed.catch(() => {
  /* said by whoever waits for it */
});

export interface ChildOptions {
  /** It can send messages; the programs of users cannot. */
  readonly talks?: boolean;
  /** It runs until it is stopped. */
  readonly stays?: boolean;
}

/** `promise`, or an error that says what did not happen in time. */
export async function within<T>(what: string, promise: Promise<T>, ms = deadlineMs): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A Node process: a program and its arguments. */
export class Child {
  readonly name: string;
  readonly exit: Promise<Exit>;
  readonly lines: string[] = [];
  readonly messages: unknown[] = [];
  readonly #process: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #exited: Exit | undefined;
  #stopping = false;

  constructor(name: string, args: readonly string[], { talks = false, stays = false }: ChildOptions = {}) {
    this.name = name;
    this.#process = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe', ...(talks ? ['ipc' as const] : [])],
      detached: true,
      env: environment(),
    });
    living.add(this);
    const { stdout, stderr } = this.#process;
    const closed = [stdout!, stderr!].map(
      (stream) =>
        new Promise<void>((resolve) => {
          createInterface(stream)
            .on('line', (line) => this.#note(this.lines, line))
            .on('close', resolve);
        }),
    );
    this.#process.on('message', (message) => this.#note(this.messages, message));
    if (talks)
      closed.push(
        new Promise<void>((resolve) => {
          this.#process.once('disconnect', resolve);
        }),
      ); // its last message may come after its exit
    const ended = new Promise<Exit>((resolve, reject) => {
      this.#process.on('error', reject);
      this.#process.on('exit', (code, signal) => resolve({ code, signal }));
    });
    this.exit = ended.then(async (exit) => {
      await Promise.all(closed);
      this.#exited = exit;
      living.delete(this);
      this.#wake();
      if (stays && !this.#stopping)
        collapse(
          new Error(
            `${this.name} ended in the middle of the play (${exit.signal ?? `exit status ${exit.code}`})\n` +
              `${this.lastWords}`,
          ),
        );
      return exit;
    });
    this.exit.catch(() => {
      /* said by whoever waits for it */
    });
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }
  /** The end of its output. */
  get lastWords(): string {
    return [`${this.name} said last:`, ...this.lines.slice(-12)].join('\n');
  }
  /** Its log. Lines that are no JSON count as messages for people. */
  get log(): LogLine[] {
    return this.lines.map((line) => {
      try {
        return JSON.parse(line) as LogLine;
      } catch {
        return { text: line };
      }
    });
  }

  /** The first value that `find` makes of what it has said by now or says later; fails when it ends before, or late. */
  until<T>(what: string, find: () => T | undefined, ms = deadlineMs): Promise<T> {
    const found = new Promise<T>((resolve, reject) => {
      const look = (): void => {
        const value = find();
        if (value === undefined && !this.#exited) return;
        this.#watchers.delete(look);
        if (value !== undefined) resolve(value);
        else reject(new Error(`${what}: ${this.name} ended before`));
      };
      this.#watchers.add(look);
      look();
      this.exit.catch(reject);
    });
    return within(what, found, ms).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.lastWords}`);
    });
  }

  /** The `nth` (from 1) log line of an event with these fields, past or future. */
  event(event: string, fields: Readonly<Record<string, unknown>> = {}, nth = 1): Promise<LogLine> {
    return this.until(`the event "${event}" of ${this.name}`, () => this.events(event, fields)[nth - 1]);
  }

  events(event: string, fields: Readonly<Record<string, unknown>> = {}): LogLine[] {
    return this.log.filter(
      (line) => line.event === event && Object.entries(fields).every(([name, value]) => line[name] === value),
    );
  }

  /** The first message with a field of this name. */
  message<T>(field: string): Promise<T> {
    return this.until(`the message "${field}" of ${this.name}`, () =>
      this.messages.find(
        (message): message is T => typeof message === 'object' && message !== null && field in message,
      ),
    );
  }

  /** SIGTERM, then SIGKILL for what is left of its group. */
  async stop(): Promise<Exit> {
    this.#stopping = true;
    this.#signal('SIGTERM');
    try {
      return await within(`the end of ${this.name}`, this.exit, stopPatienceMs);
    } finally {
      this.kill();
    }
  }

  kill(): void {
    this.#signal('SIGKILL');
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.pid < 0) return;
    const group = process.platform === 'win32' ? this.pid : -this.pid;
    try {
      process.kill(group, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  #note<T>(list: T[], item: T): void {
    list.push(item);
    this.#wake();
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

/** Ends all running processes: in order, by force if necessary. */
export async function stopAll(): Promise<void> {
  await Promise.allSettled([...living].map((child) => child.stop()));
}

/** For an exit handler: at once. */
export function killAll(): void {
  for (const child of living) child.kill();
}

/** Our environment, without the variables that configure Adit or Node. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(ADIT_|NODE_OPTIONS$)/.test(name)));
}

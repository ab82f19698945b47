/**
 * The program of one package, run from its source as a process of its own, for the tests beside it.
 * Rule: its log is read line by line; it is gone at the end of the file. Scenarios with the built `adit` are in
 * adit.ts.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { atEnd } from './scope.ts';

/** What Node is given to run one of our programs from its source. */
export const fromSource = ['--disable-warning=ExperimentalWarning'] as const;

export interface Started {
  /** The next line of that event; fails when the process ends before. */
  until(event: string): Promise<Record<string, unknown>>;
  /** Exit status and signal. */
  readonly exit: Promise<unknown[]>;
  signal(name: NodeJS.Signals): void;
}

/** Starts `main`, a TypeScript file. */
export function startSource(main: string, args: readonly string[]): Started {
  const child = spawn(process.execPath, [...fromSource, main, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true, // without the terminal of the tests, which would be what SIGHUP is about
  });
  atEnd(() => {
    child.kill('SIGKILL');
  });
  const lines = createInterface(child.stderr)[Symbol.asyncIterator]();
  const until = async (event: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`ended before ${event}`);
      const line = JSON.parse(value) as Record<string, unknown>;
      if (line['event'] === event) return line;
    }
  };
  return {
    until,
    exit: once(child, 'close'),
    signal: (name) => {
      child.kill(name);
    },
  };
}

/** A program in the foreground of a terminal of its own, which the test can close (terminal.py). */
import { join } from 'node:path';
import { AditProcess } from './adit.ts';

export interface InTerminal {
  /** What runs in the terminal; its exit status is that of the program. */
  readonly adit: AditProcess;
  closeTerminal(): void;
  /** A signal for the program itself. */
  signal(name: NodeJS.Signals): Promise<void>;
}

/** Starts `adit`; its log goes to the terminal. */
export function inTerminal(args: readonly string[]): InTerminal {
  const adit = new AditProcess(args, {
    prefix: ['python3', join(import.meta.dirname, 'terminal.py')],
    listens: true,
  });
  return {
    adit,
    closeTerminal: () => adit.say('close'),
    signal: async (name) => {
      process.kill(Number((await adit.event('terminal'))['pid']), name);
    },
  };
}

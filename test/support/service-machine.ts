/**
 * A machine for `adit service` whose systemd only takes orders, and keeps them: everything else, such as `--check` and
 * `systemd-analyze`, runs for real.
 */
import { join } from 'node:path';
import { type Machine, type Ran, thisMachine } from '../../packages/cli/src/service/machine.ts';
import { fromSource } from './source-program.ts';
import { temporaryFolder } from './scope.ts';

const main = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'main.ts');

export interface RecordedMachine extends Machine {
  /** Orders to systemctl and useradd, as lines. */
  readonly orders: string[];
  readonly units: string;
}

/** `answers` are those to orders that begin like their key; otherwise 0, and 3 to `is-active`. */
export function recordedMachine({
  answers = {},
  ...rest
}: Partial<Machine> & { readonly answers?: Readonly<Record<string, Ran>> } = {}): RecordedMachine {
  const real = thisMachine();
  const orders: string[] = [];
  const units = temporaryFolder();
  return {
    ...real,
    withoutSystemd: undefined,
    isRoot: true,
    command: [process.execPath, ...fromSource, main],
    folder: () => units,
    account: () => undefined,
    run: (command) => {
      if (command[0] !== 'systemctl' && command[0] !== 'useradd') return real.run(command);
      const line = command.join(' ');
      orders.push(line);
      const known = Object.keys(answers).find((start) => line.startsWith(start));
      return known === undefined ? { status: line.includes('is-active') ? 3 : 0, output: '' } : answers[known]!;
    },
    orders,
    units,
    ...rest,
  };
}

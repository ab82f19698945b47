/** `adit ca ...`, run to its end in a folder, inside the process of the test. */
import { caCommand } from '../../packages/cli/src/ca.ts';
import { type Ended, type ProgramOptions, runHere } from './in-process-program.ts';

/** Runs `adit ca` with these arguments. */
export function aditCa(args: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
  return runHere({ name: 'adit', make: caCommand }, args, options);
}

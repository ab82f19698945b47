/** Runs a program of the build to its end. What it says is shown only if it fails. */
import { spawnSync, type SpawnSyncOptions } from 'node:child_process';

export interface RunOptions extends Pick<SpawnSyncOptions, 'cwd' | 'env' | 'input'> {
  /** What to say if the program is missing. */
  readonly from?: string;
}

/** Returns what the program wrote to stdout; throws with all that it wrote if it fails. */
export function run(program: string, args: readonly string[], { from, ...options }: RunOptions = {}): Buffer {
  const { status, signal, error, stdout, stderr } = spawnSync(program, args, { maxBuffer: 2 ** 30, ...options });
  if (error !== undefined && 'code' in error && error.code === 'ENOENT')
    throw new Error(`${program} is missing${from === undefined ? '' : `: install ${from}`}`);
  if (error !== undefined) throw error;
  if (status === 0) return stdout;
  const said = [stdout, stderr].map((text) => text.toString().trim()).filter((text) => text !== '');
  const what = `${program} ${args.join(' ')}: ended with ${status ?? signal}`;
  throw new Error([what, ...said].join('\n').slice(0, 4096));
}

/** `adit ca ...` from source and `openssl`, each run to its end in a folder. */
import { join } from 'node:path';
import { type Finished, type RunOptions, run } from './child.ts';

const main = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'main.ts');

/** How to start `adit` from source with this Node. */
export const aditFromSource = ['--conditions=@adit/source', '--disable-warning=ExperimentalWarning', main] as const;

/** Runs `adit ca` with these arguments. */
export function aditCa(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return run(process.execPath, [...aditFromSource, 'ca', ...args], options);
}

/** What openssl says, both streams; throws when it ends with another status than `code`. */
export async function openssl(
  args: readonly string[],
  { code = 0, ...options }: RunOptions & { readonly code?: number } = {},
): Promise<string> {
  const finished = await run('openssl', args, options);
  if (finished.code !== code)
    throw new Error(
      `openssl ${args.join(' ')} ended with ${finished.code}, not ${code}\n${finished.stdout}${finished.stderr}`,
    );
  return finished.stdout + finished.stderr;
}

/** `openssl`, run to its end in a folder: the second opinion on everything that our PKI writes. */
import { type RunOptions, run } from './child.ts';

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

/** Man pages and completions, which `scripts/manual.ts` makes from the flags: where each artifact puts them. */
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Release } from './context.ts';
import { run } from './run.ts';

export interface Manual {
  /** By path below `man/`, such as `man1/adit.1`. */
  readonly pages: readonly { readonly path: string; readonly content: Buffer }[];
  readonly completions: Readonly<Record<'bash' | 'zsh' | 'fish', Buffer>>;
}

export function manualOf({ root, scratch, time }: Pick<Release, 'root' | 'scratch' | 'time'>): Manual {
  const folder = join(scratch, 'manual');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  run(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, 'scripts', 'manual.ts'), folder], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(time) },
  });
  const man = join(folder, 'man');
  const paths = readdirSync(man).flatMap((section) =>
    readdirSync(join(man, section)).map((page) => `${section}/${page}`),
  );
  const completion = (name: string): Buffer => readFileSync(join(folder, 'completions', name));
  return {
    pages: paths.sort().map((path) => ({ path, content: readFileSync(join(man, path)) })),
    completions: { bash: completion('adit.bash'), zsh: completion('_adit'), fish: completion('adit.fish') },
  };
}

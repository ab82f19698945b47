/**
 * Writes the man pages and the completions: from the flags, the tables of settings and docs/.
 * Rule: the bytes depend on the sources, the version and the date alone; the date is that of SOURCE_DATE_EPOCH, else of
 * the last commit.
 * usage: node scripts/manual.ts FOLDER
 *   FOLDER/man/man1/*.1, FOLDER/man/man5/*.5     to share/man
 *   FOLDER/completions/adit.bash                 to share/bash-completion/completions/adit, and linked there as
 *                                                adit-ingress and adit-egress
 *   FOLDER/completions/_adit                     to share/zsh/site-functions (Debian: vendor-completions)
 *   FOLDER/completions/adit.fish                 to share/fish/vendor_completions.d
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { manualFiles } from './manual/pages.ts';

const root = join(import.meta.dirname, '..');
const [folder] = process.argv.slice(2);
if (folder === undefined || folder.startsWith('-')) {
  process.stderr.write('usage: node scripts/manual.ts FOLDER\n');
  process.exit(2);
}
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
for (const [name, text] of manualFiles({ version, date: dateOf(process.env['SOURCE_DATE_EPOCH']) })) {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function dateOf(epoch: string | undefined): string {
  const seconds = epoch ?? execFileSync('git', ['-C', root, 'log', '-1', '--format=%ct'], { encoding: 'utf8' }).trim();
  return new Date(Number(seconds) * 1000).toISOString().slice(0, 10);
}

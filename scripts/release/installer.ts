/** The installer of a release: packaging/install.sh with the version and the signers of this release in it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Release } from './context.ts';

export function installerOf({ root, version }: Release, signers = ''): string {
  const text = readFileSync(join(root, 'packaging', 'install.sh'), 'utf8');
  return filled(filled(text, 'version', version), 'signers', signers.trim());
}

/** Fills the one line `NAME=''`. */
function filled(text: string, name: string, value: string): string {
  const empty = `\n${name}=''\n`;
  if (text.split(empty).length !== 2 || value.includes("'")) throw new Error(`install.sh: no place for ${name}`);
  return text.replace(empty, () => `\n${name}='${value}'\n`);
}

/**
 * SHA256SUMS over everything that is released, and its signature.
 * Rule: the key comes from outside and is only ever read by ssh-keygen. Whoever verifies needs `release-signers` from a
 * place that they trust; beside the signature it proves nothing.
 * Spec: sha256sum(1), ssh-keygen(1) -Y sign, PROTOCOL.sshsig.
 */
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from './run.ts';

/** Who signs, and what for, in the words of ssh-keygen: a signature for something else is none. */
export const signer = 'adit-release';
export const sumsName = 'SHA256SUMS';
const signatureName = `${sumsName}.sig`;

/** The line of an `allowed_signers` file for a private key, or for a public one whose private half an agent has. */
export function signersOf(key: string): string {
  const [type = '', text = ''] = run('ssh-keygen', ['-y', '-f', key]).toString().split(/\s+/);
  return `${signer} namespaces="${signer}" ${type} ${text}\n`;
}

/** Writes the sums of every file in the folder, sorted, and their signature if there is a key. */
export async function writeSums(folder: string, key?: string): Promise<void> {
  for (const name of [sumsName, signatureName]) rmSync(join(folder, name), { force: true });
  const names = readdirSync(folder).sort();
  const sums = await Promise.all(names.map(async (name) => `${await sha256(join(folder, name))}  ${name}\n`));
  const file = join(folder, sumsName);
  writeFileSync(file, sums.join(''));
  if (key !== undefined) run('ssh-keygen', ['-Y', 'sign', '-q', '-n', signer, '-f', key, file]);
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** `adit ca show FILE`: explains what a file contains and what is wrong with it. */
import { statSync } from 'node:fs';
import { Command } from 'commander';
import { explain, formatExplanation } from '@adit/pki';
import { readNamedFile } from '@adit/shared/identity/pem';

/** The command; exits 1 when something is wrong. Fails with FILE_UNREADABLE. */
export function showCommand(): Command {
  return new Command('show')
    .description('explain a certificate, key, request or revocation list; exits 1 when something is wrong with it')
    .argument('<file>', 'PEM or DER')
    .action(show);
}

function show(file: string): void {
  const bytes = readNamedFile(file, 'the file', 'FILE_UNREADABLE');
  const explanations = explain(bytes, { mode: process.platform === 'win32' ? undefined : statSync(file).mode });
  process.stdout.write(explanations.map(formatExplanation).join('\n'));
  process.exitCode = explanations.some(({ problems }) => problems.length > 0) ? 1 : 0;
}

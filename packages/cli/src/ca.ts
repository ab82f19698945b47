/**
 * `adit ca ...`: certificates for people without a CA of their own.
 * Rule: no logic of its own; each subcommand is a file in ca/, and what it does is in @adit/pki.
 */
import { Command } from 'commander';
import { initCommand } from './ca/init.ts';

/** The command, to be added to the program. Its actions throw AditError. */
export function caCommand(): Command {
  return new Command('ca')
    .description('make a certificate authority, and issue, list, revoke and explain certificates')
    .addCommand(initCommand());
}

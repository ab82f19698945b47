/**
 * `adit ca ...`: certificates for people without a CA of their own.
 * Rule: no logic of its own; each subcommand is a file in ca/, and what it does is in @adit/pki.
 */
import { Command } from 'commander';
import { crlCommand } from './ca/crl.ts';
import { initCommand } from './ca/init.ts';
import { issueCommand } from './ca/issue.ts';
import { listCommand } from './ca/list.ts';
import { requestCommand } from './ca/request.ts';
import { revokeCommand } from './ca/revoke.ts';
import { showCommand } from './ca/show.ts';
import { signCommand } from './ca/sign.ts';

/** The command, to be added to the program. Its actions throw AditError. */
export function caCommand(): Command {
  return new Command('ca')
    .description('make a certificate authority, and issue, list, revoke and explain certificates')
    .addCommand(initCommand())
    .addCommand(issueCommand())
    .addCommand(requestCommand())
    .addCommand(signCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand())
    .addCommand(crlCommand())
    .addCommand(showCommand());
}

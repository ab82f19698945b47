/**
 * The command `adit connect`: its flags come from options.ts, its work is join-standard-streams.ts.
 * Rule: the status that joinStandardStreams resolves with is the exit status of the process; runProgram prints errors.
 */
import { Command } from 'commander';
import { warnOfVariables } from '@adit/shared/config/environment';
import { declareFlags } from '@adit/shared/config/flags';
import { standardStreams } from './standard-streams.ts';
import { joinStandardStreams } from './join-standard-streams.ts';
import { resolveStdioOptions, stdioFlags } from './options.ts';

const examples = `
Examples:
  In ~/.ssh/config, for every host behind the egress; the file is that of the ingress:
    Host *.internal
      ProxyCommand adit connect --config ~/.adit.yaml %h:%p

  Over the session of an ingress that runs with --control-socket ~/.adit.sock:
    ssh -o 'ProxyCommand adit connect --control-socket ~/.adit.sock %h:%p' db.internal

DESTINATION is HOST:PORT, [V6]:PORT, tls://HOST:PORT (the egress speaks TLS with it), or the name of a service that
the policy of the egress defines.
The end of standard input is passed on, and the service may still answer; the end of the service closes standard output.
Keys of the file that only concern listeners are checked and ignored.
Exit status: 0 both sides ended in order, 1 failure, 2 usage or configuration, 3 certificate or key not usable,
4 denied, 129, 130 and 143 ended by SIGHUP, SIGINT and SIGTERM. The last line on standard error says why, with a code.`;

/** `adit connect DESTINATION`. */
export function connectCommand(): Command {
  const command = new Command('connect')
    .summary('join standard input and output to one destination, as ProxyCommand of ssh does')
    .description(
      'Joins standard input and output to one destination behind the egress: through a running ingress if ' +
        'its control socket answers, otherwise with a session of its own.',
    )
    .argument('<destination>', 'HOST:PORT, [V6]:PORT, tls://HOST:PORT or the name of a service')
    .addHelpText('after', examples);
  declareFlags(command, stdioFlags);
  return command.action(async (destination: string) => {
    const options = resolveStdioOptions(destination, { flags: command.opts(), environment: process.env });
    warnOfVariables(process.env, (line) => process.stderr.write(line));
    process.exitCode = await joinStandardStreams(options, standardStreams());
  });
}

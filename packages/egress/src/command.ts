/**
 * The command `egress`: its flags come from the table in options.ts, its work is run.ts.
 * Rule: the status that run.ts answers becomes the exit status of the process; errors are printed by runProgram.
 */
import { Command } from 'commander';
import { declareFlags, declareVersion, pointElsewhere } from '@adit/shared/config/flags';
import { packageVersion } from '@adit/shared/process/package-version';
import { egressSettings, resolveEgressOptions } from './options.ts';
import { runEgress } from './run.ts';

const examples = `
Examples:
  A first egress, on every IPv4 address, with certificates from "adit ca":
    adit egress --listen 0.0.0.0:8443 --cert edge1.crt --key edge1.key --client-ca ca.crt --policy policy.yaml

  The same from a file, and a check of everything it names before the restart:
    adit egress --config /etc/adit/egress.yaml --check

A flag wins over its variable (--client-ca: ADIT_CLIENT_CA), the variable over the key of the file (client-ca:).
SIGHUP (without a terminal), or a change of the files, reloads certificate, CA, revocation list and policy; SIGTERM
drains.
Exit status: 0 done, 1 failure, 2 usage or configuration, 3 certificate or key not usable.`;

/** `adit egress`. */
export function egressCommand(): Command {
  const command = new Command('egress')
    .summary('run the server half: prove identities, ask the policy, dial')
    .description('Accepts sessions from ingresses, proves who they are, and connects them to what the policy allows.')
    .addHelpText('after', examples);
  declareFlags(command, egressSettings);
  pointElsewhere(
    command,
    '--ca <FILE>',
    '--ca is an option of the ingress: the CA that issues the certificates of clients is --client-ca',
  );
  return command.action(async () => {
    process.exitCode = await runEgress(resolveEgressOptions({ flags: command.opts(), environment: process.env }));
  });
}

/** The whole of `adit-egress`, ready to parse. */
export function egressProgram(): Command {
  const program = egressCommand().name('adit-egress');
  declareVersion(program, packageVersion());
  return program;
}

/**
 * The command `adit` around its subcommands: all of them (program.ts), or the one that is run (programs/).
 * Rule: no logic of its own.
 */
import { Command } from 'commander';
import { declareVersion } from '@adit/shared/config/flags';
import { packageVersion } from '@adit/shared/process/package-version';

const examples = `
Start here:
  adit ca init --trust-domain example.org
  adit ca issue egress edge1 --host tunnel.example.org --host 127.0.0.1
  adit ca issue client alice --group developers
  adit policy check policy.yaml
  adit egress  --listen 0.0.0.0:8443 --cert edge1.crt --key edge1.key --client-ca ca.crt --policy policy.yaml
  adit ingress --egress tunnel.example.org:8443 --cert alice.crt --key alice.key --ca ca.crt -L 5432:db.internal:5432
  psql -h 127.0.0.1

"adit COMMAND --help" explains a command and all of its flags.`;

/** The command line with these subcommands, ready to parse. */
export function aditOf(commands: readonly Command[]): Command {
  const adit = new Command('adit')
    .description(
      'A tunnel in two halves: the ingress on your machine, the egress beside the services, mutual TLS 1.3 ' +
        'between them.',
    )
    .addHelpText('after', examples);
  for (const command of commands) adit.addCommand(command);
  declareVersion(adit, packageVersion());
  return adit;
}

/**
 * The program `adit`: one command for each thing it does, from the package that does it.
 * Rule: no logic of its own; a new command is one line here.
 */
import { Command } from 'commander';
import { egressCommand } from '@adit/egress';
import { connectCommand, ingressCommand } from '@adit/ingress';
import { warnOfVariables } from '@adit/shared/config/environment';
import { declareVersion } from '@adit/shared/config/flags';
import { packageVersion } from '@adit/shared/process/package-version';
import { caCommand } from './ca.ts';
import { completionCommand } from './completion.ts';
import { policyCommand } from './policy.ts';
import { versionCommand } from './version.ts';

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

/** The whole command line, ready to parse. */
export function program(): Command {
  const warned = (command: Command): Command =>
    command.hook('preAction', () => warnOfVariables(process.env, (line) => process.stderr.write(line)));
  const version = packageVersion();
  const adit = new Command('adit')
    .description(
      'A tunnel in two halves: the ingress on your machine, the egress beside the services, mutual TLS 1.3 ' +
        'between them.',
    )
    .addHelpText('after', examples)
    .addCommand(ingressCommand())
    .addCommand(connectCommand())
    .addCommand(egressCommand())
    .addCommand(warned(caCommand()))
    .addCommand(warned(policyCommand()))
    .addCommand(versionCommand(version))
    .addCommand(completionCommand(program));
  declareVersion(adit, version);
  return adit;
}

/**
 * The command `ingress`: its flags come from the table in options/settings.ts, its work is run.ts.
 * Rule: the status that run.ts returns is the exit status of the process; runProgram prints errors.
 */
import { Command } from 'commander';
import { declareFlags, declareVersion, pointElsewhere } from '@adit/shared/config/flags';
import { packageVersion } from '@adit/shared/process/package-version';
import { resolveIngressOptions, resolveRules } from './options.ts';
import { ingressSettings } from './options/settings.ts';
import { runIngress } from './run.ts';
import { connectCommand } from './stdio/command.ts';
import { redirectionsTo } from './transparent/redirections.ts';
import { rulesScript } from './transparent/rules.ts';

const examples = `
Examples:
  A database and a web service as if they were local, and Docker on a Unix socket:
    adit ingress --egress tunnel.example.org:8443 --cert alice.crt --key alice.key --ca ca.crt \\
                 -L 5432:db.internal:5432 -L 127.0.0.1:8080:web -L ./docker.sock:docker.internal:2375
    psql -h 127.0.0.1

  The same from a file, where "forward:" is a list:
    adit ingress --config ~/.adit.yaml

-L reads as in ssh: without BIND it listens on 127.0.0.1 only, "*" is every address, port 0 picks a free one, IPv6
goes in brackets ("[::1]:8080:[fd00::5]:80"). SERVICE is a name that the policy of the egress defines; host names are
resolved at the egress.
A flag wins over its variable (--server-name: ADIT_SERVER_NAME), the variable over the key of the file (server-name:).
Exit status: 0 done, 1 failure, 2 usage or configuration, 3 certificate or key not usable, 4 denied by the egress.`;

/** `adit ingress`. */
export function ingressCommand(): Command {
  const command = new Command('ingress')
    .summary('run the laptop half: local ports that end at the egress')
    .description(
      'Listens on local ports and sockets, and carries each connection through one authenticated session to the ' +
        'egress.',
    )
    .addHelpText('after', examples);
  declareFlags(command, ingressSettings);
  pointElsewhere(command, '-R, --remote-forward <SPEC>', '-R: there are no reverse forwards (docs/out-of-scope.md)');
  pointElsewhere(
    command,
    '--client-ca <FILE>',
    '--client-ca is an option of the egress: the CA that issues its certificate is --ca',
  );
  return command.action(async () => {
    const sources = { flags: command.opts(), environment: process.env };
    const rulesFor = resolveRules(sources);
    if (rulesFor)
      process.stdout.write(
        rulesScript({
          redirections: redirectionsTo(rulesFor),
          uid: process.getuid?.() ?? 0,
          specs: rulesFor.map(({ spec }) => spec),
        }),
      );
    else process.exitCode = await runIngress(resolveIngressOptions(sources));
  });
}

/** The whole of `adit-ingress`, ready to parse. */
export function ingressProgram(): Command {
  const program = ingressCommand().name('adit-ingress').enablePositionalOptions().addCommand(connectCommand());
  declareVersion(program, packageVersion());
  return program;
}

/**
 * `adit service install|remove egress|ingress`: a half as a service of systemd.
 * Rule: no logic of its own; what is done is in service/.
 */
import { Argument, Command } from 'commander';
import { AditError } from '@adit/shared/errors';
import { installService, unitOptions } from './service/install.ts';
import { type Machine, thisMachine } from './service/machine.ts';
import { removeService } from './service/remove.ts';
import { type Half, unitText } from './service/unit.ts';

const halves = ['egress', 'ingress'] as const satisfies readonly Half[];

const examples = `
Examples:
  The egress of this machine, as the account "adit":
    sudo adit service install egress --config /etc/adit/egress.yaml

  The ingress of one user:
    adit service install ingress --user --config ~/.config/adit/ingress.yaml

  Only to see the unit:
    adit service install egress --config /etc/adit/egress.yaml --print

The files that the configuration names have to be readable by the account: keys with owner root, its group, mode 0640.`;

interface ScopeFlags {
  readonly user?: true;
}
interface InstallFlags extends ScopeFlags {
  readonly config: string;
  readonly runAs?: string;
  readonly print?: true;
}

/** The command. Its actions throw USAGE, SERVICE_UNAVAILABLE, SERVICE_FAILED. */
export function serviceCommand(machine: () => Machine = thisMachine): Command {
  return new Command('service')
    .description('run a half as a service of systemd')
    .addHelpText('after', examples)
    .addCommand(
      new Command('install')
        .description('check the configuration, write the unit, enable and start it')
        .addArgument(halfArgument())
        .requiredOption('--config <file>', 'the YAML file of the half')
        .option('--user', 'a service of this user instead of the machine')
        .option('--run-as <account>', 'whose process it is; without --user only (default: adit, made if it is missing)')
        .option('--print', 'print the unit, and do nothing')
        .action((half: Half, flags: InstallFlags) => install(half, flags, machine())),
    )
    .addCommand(
      new Command('remove')
        .description('stop the service, and remove the unit that "install" wrote')
        .addArgument(halfArgument())
        .option('--user', 'the service of this user instead of the machine')
        .action((half: Half, { user }: ScopeFlags) =>
          tell(removeService({ half, scope: user ? 'user' : 'system' }, machine())),
        ),
    );
}

function halfArgument(): Argument {
  return new Argument('<half>', 'egress or ingress').choices(halves).argParser((text: string) => {
    const half = halves.find((name) => name === text);
    if (half !== undefined) return half;
    throw new AditError('USAGE', `this version has no service ${JSON.stringify(text)}: write egress or ingress`);
  });
}

function install(half: Half, { config, user, runAs, print }: InstallFlags, machine: Machine): void {
  if (user && runAs !== undefined)
    throw new AditError('USAGE', '--run-as is for a service of the machine, not with --user');
  const options = {
    half,
    config,
    scope: user ? 'user' : 'system',
    ...(runAs !== undefined && { account: runAs }),
  } as const;
  if (print) process.stdout.write(unitText(unitOptions(options, machine)));
  else tell(installService(options, machine));
}

function tell(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/**
 * The program `adit`: one command for each thing it does, from the package that does it.
 * Rule: no logic of its own; a new command is one line here.
 */
import type { Command } from 'commander';
import { egressCommand } from '@adit/egress/command';
import { ingressCommand } from '@adit/ingress/command';
import { connectCommand } from '@adit/ingress/stdio/command';
import { warnOfVariables } from '@adit/shared/config/environment';
import { packageVersion } from '@adit/shared/process/package-version';
import { aditOf } from './adit.ts';
import { caCommand } from './ca.ts';
import { completionCommand } from './completion.ts';
import { policyCommand } from './policy.ts';
import { serviceCommand } from './service.ts';
import { versionCommand } from './version.ts';

/** The whole command line, ready to parse. */
export function program(): Command {
  const version = packageVersion();
  return aditOf([
    ingressCommand(),
    connectCommand(),
    egressCommand(),
    warned(caCommand()),
    warned(policyCommand()),
    warned(serviceCommand()),
    versionCommand(version),
    completionCommand(program),
  ]);
}

function warned(command: Command): Command {
  return command.hook('preAction', () => warnOfVariables(process.env, (line) => process.stderr.write(line)));
}

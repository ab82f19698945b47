/**
 * `adit policy check FILE` and `adit policy explain FILE --identity NAME DESTINATION`.
 * Rule: the answers are those of the egress with this file. Opens no connection and resolves nothing.
 * Not here: what the answers say (explain.ts of the egress).
 */
import { Command } from 'commander';
import { checkPolicyFiles, describePolicy, explain, loadPolicy, parseSubjects, type Subject } from '@adit/egress';
import { AditError } from '@adit/shared/errors';
import { addressFamily, type Destination, parseAnyDestination } from '@adit/shared/protocol/destination';

/**
 * The command, to be added to the program. Its actions throw AditError: POLICY_INVALID for the file, CONFIG_INVALID
 * and CREDENTIALS_UNUSABLE for a file that it names, USAGE for the arguments.
 */
export function policyCommand(): Command {
  const policy = new Command('policy').description('check a policy file, and explain what it decides');
  policy
    .command('check')
    .description('read a policy file and the files that it names, run its tests, and say all that is wrong')
    .argument('<file>', 'the policy file')
    .action((file: string) => {
      print(describePolicy(checkPolicyFiles(file)));
    });
  policy
    .command('explain')
    .description(
      'say whether an identity may reach a destination, and which rule decides; exits 0 for allow, 1 for deny',
    )
    .argument('<file>', 'the policy file')
    .argument('<destination>', 'HOST:PORT, [V6]:PORT or the name of a service')
    .requiredOption('--identity <name>', 'NAME, spiffe://TRUST-DOMAIN/client/NAME, or group:GROUP')
    .option(
      '--group <group>',
      'a group of the identity (repeatable)',
      (group: string, groups: string[]) => [...groups, group],
      [],
    )
    .option('--address <ip>', 'judge as if the name resolved to this address')
    .action(explainFile);
  return policy;
}

interface ExplainOptions {
  readonly identity: string;
  readonly group: readonly string[];
  readonly address?: string;
}

function explainFile(file: string, text: string, { identity, group, address }: ExplainOptions): void {
  const policy = loadPolicy(file);
  const destination = destinationOf(text);
  if (address !== undefined && addressFamily(address) === 0)
    throw new AditError('USAGE', `--address ${JSON.stringify(address)} is not an IP address.`);
  const subjects = subjectsOf(identity, group, policy.trustDomains);
  const { allow, lines } = explain(policy, { subjects, destination, ...(address !== undefined && { address }) });
  print(lines);
  process.exitCode = allow ? 0 : 1;
}

function destinationOf(text: string): Destination {
  const parsed = parseAnyDestination(text);
  if (parsed.ok) return parsed.value;
  throw new AditError('USAGE', `The destination ${JSON.stringify(text)} is not usable: ${parsed.reason}.`);
}

function subjectsOf(identity: string, groups: readonly string[], trustDomains: readonly string[]): readonly Subject[] {
  const subjects = parseSubjects(identity, groups, trustDomains);
  if (subjects !== undefined) return subjects;
  throw new AditError(
    'USAGE',
    `--identity ${JSON.stringify(identity)} is not NAME, group:GROUP or spiffe://TRUST-DOMAIN/client/NAME.`,
  );
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

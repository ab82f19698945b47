/**
 * `adit policy check FILE` and `adit policy explain FILE --identity NAME DESTINATION`.
 * Rule: says what the egress would say with this file: it is the same code. Opens no connection and resolves nothing.
 */
import { Command } from 'commander';
import { loadPolicy, parseSubjects, type Verdict } from '@adit/egress';
import { addressFamily, AditError, parseDestination, type Destination } from '@adit/shared';

/** The command, to be added to the program. Its actions throw AditError: POLICY_INVALID for the file, USAGE for the arguments. */
export function policyCommand(): Command {
  const policy = new Command('policy').description('check a policy file, and explain what it decides');
  policy.command('check')
    .description('read a policy file, run its tests, and say all that is wrong with it')
    .argument('<file>', 'the policy file')
    .action(check);
  policy.command('explain')
    .description('say whether an identity may reach a destination, and which rule decides; exits 0 for allow, 1 for deny')
    .argument('<file>', 'the policy file')
    .argument('<destination>', 'HOST:PORT, [V6]:PORT or the name of a service')
    .requiredOption('--identity <name>', 'NAME, spiffe://TRUST-DOMAIN/client/NAME, or group:GROUP')
    .option('--group <group>', 'a group of the identity (repeatable)', (group: string, groups: string[]) => [...groups, group], [])
    .option('--address <ip>', 'judge as if the name resolved to this address')
    .action(explain);
  return policy;
}

function check(file: string): void {
  const { rules, services, tests } = loadPolicy(file).size;
  process.stdout.write(`${file}: ${count(rules, 'rule')}, ${count(services, 'service')}, ${count(tests, 'test')} passed\n`);
}

function count(n: number, noun: string): string { return `${n} ${noun}${n === 1 ? '' : 's'}`; }

interface ExplainOptions { readonly identity: string; readonly group: readonly string[]; readonly address?: string }

function explain(file: string, text: string, { identity, group, address }: ExplainOptions): void {
  const policy = loadPolicy(file);
  const destination = parseDestination(text);
  if (!destination.ok) throw new AditError('USAGE', `The destination ${JSON.stringify(text)} is not usable: ${destination.reason}.`);
  if (address !== undefined && addressFamily(address) === 0) throw new AditError('USAGE', `--address ${JSON.stringify(address)} is not an IP address.`);
  const subjects = parseSubjects(identity, group, policy.trustDomains);
  if (subjects === undefined) throw new AditError('USAGE', `--identity ${JSON.stringify(identity)} is not NAME, group:GROUP or spiffe://TRUST-DOMAIN/client/NAME.`);
  let allowed = true;
  for (const subject of subjects) {
    const judge = (at: string | undefined): Verdict => (at === undefined ? policy.decide(subject, destination.value) : policy.decideAddress(subject, destination.value, at));
    const verdict = judge(address);
    allowed &&= verdict.allow;
    if (subjects.length > 1) process.stdout.write(`In the trust domain ${subject.trustDomain}:\n`);
    process.stdout.write(`${lines(verdict, destination.value, address === undefined ? judge : undefined).join('\n')}\n`);
  }
  process.exitCode = allowed ? 0 : 1;
}

/** `judge` is given when addresses are still to be judged. */
function lines(verdict: Verdict, destination: Destination, judge: ((address: string) => Verdict) | undefined): string[] {
  if (!verdict.allow) return [`deny (${verdict.code}): ${verdict.detail}`, `  the client is told: ${verdict.reason}`];
  const { host, port } = verdict.target;
  return [
    `allow: ${verdict.detail}`,
    ...(destination.kind === 'service' ? [`  it is ${host} port ${port}`] : []),
    ...(judge !== undefined && addressFamily(host) === 0 ? [`  each address that ${host} resolves to is judged too: ${examples(judge)}`] : []),
  ];
}

const samples = { public: '93.184.215.14', private: '10.255.254.253', loopback: '127.0.0.1', metadata: '169.254.169.254' } as const;

/** What would happen for an address of each kind. */
function examples(judge: (address: string) => Verdict): string {
  return Object.entries(samples).map(([kind, sample]) => `${kind} (${sample}) ${judge(sample).allow ? 'passes' : 'does not'}`).join(', ');
}

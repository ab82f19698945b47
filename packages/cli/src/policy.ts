/**
 * `adit policy check FILE` and `adit policy explain FILE --identity NAME DESTINATION`.
 * Rule: says what the egress would say with this file: it is the same code. Opens no connection and resolves nothing.
 */
import { Command } from 'commander';
import { loadPolicy, parseSubjects, type Backend, type Service, type Verdict } from '@adit/egress';
import { formatDuration } from '@adit/shared/config/values/duration';
import { AditError } from '@adit/shared/errors';
import { addressFamily, parseAnyDestination } from '@adit/shared/protocol/destination';

/**
 * The command, to be added to the program. Its actions throw AditError: POLICY_INVALID for the file, USAGE for the
 * arguments.
 */
export function policyCommand(): Command {
  const policy = new Command('policy').description('check a policy file, and explain what it decides');
  policy
    .command('check')
    .description('read a policy file, run its tests, and say all that is wrong with it')
    .argument('<file>', 'the policy file')
    .action(check);
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
    .action(explain);
  return policy;
}

function check(file: string): void {
  const policy = loadPolicy(file);
  const { rules, services, tests, blocked } = policy.size;
  process.stdout.write(
    `${file}: ${count(rules, 'rule')}, ${count(services, 'service')}, ` +
      `${blocked === 0 ? '' : `${count(blocked, 'blocked name')}, `}${count(tests, 'test')} passed\n`,
  );
  for (const { name, backends, ...how } of policy.services.values()) {
    if (backends.length > 1)
      process.stdout.write(
        `  ${name}: ${backends.length} backends, ${wayOf(how)}: ` +
          `${backends.map((backend) => `${backend.name}${weightOf(backend)}`).join('; ')}\n`,
      );
  }
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

interface ExplainOptions {
  readonly identity: string;
  readonly group: readonly string[];
  readonly address?: string;
}

function explain(file: string, text: string, { identity, group, address }: ExplainOptions): void {
  const policy = loadPolicy(file);
  const destination = parseAnyDestination(text);
  if (!destination.ok)
    throw new AditError('USAGE', `The destination ${JSON.stringify(text)} is not usable: ${destination.reason}.`);
  if (address !== undefined && addressFamily(address) === 0)
    throw new AditError('USAGE', `--address ${JSON.stringify(address)} is not an IP address.`);
  const subjects = parseSubjects(identity, group, policy.trustDomains);
  if (subjects === undefined)
    throw new AditError(
      'USAGE',
      `--identity ${JSON.stringify(identity)} is not NAME, group:GROUP or spiffe://TRUST-DOMAIN/client/NAME.`,
    );
  let allowed = true;
  for (const subject of subjects) {
    const verdict =
      address === undefined
        ? policy.decide(subject, destination.value)
        : policy.decideAddress(subject, destination.value, address);
    const judge = (backend: Backend, at: string): Verdict =>
      policy.decideBackend(subject, { destination: destination.value, backend: backend.name }, at);
    allowed &&= verdict.allow;
    if (subjects.length > 1) process.stdout.write(`In the trust domain ${subject.trustDomain}:\n`);
    process.stdout.write(`${lines(verdict, address === undefined ? judge : undefined).join('\n')}\n`);
  }
  process.exitCode = allowed ? 0 : 1;
}

type Judge = (backend: Backend, address: string) => Verdict;

/** `judge` is given when addresses are still to be judged. */
function lines(verdict: Verdict, judge: Judge | undefined): string[] {
  if (!verdict.allow) return [`deny (${verdict.code}): ${verdict.detail}`, `  the client is told: ${verdict.reason}`];
  const {
    backends: [first],
    service,
  } = verdict;
  const several = service !== undefined && service.backends.length > 1;
  return [
    `allow: ${verdict.detail}`,
    ...(several
      ? pool(service, verdict.backends, judge)
      : [...(service === undefined ? [] : [`  it is ${placeOf(first!)}`]), ...addressesOf(first!, '  ', judge)]),
    ...(service?.proxyProtocol === undefined
      ? []
      : [`  it is told who came by PROXY protocol ${service.proxyProtocol}`]),
  ];
}

function placeOf(backend: Backend): string {
  if (backend.kind === 'unix') return `the Unix socket ${backend.path}`;
  return `${backend.host} port ${backend.port}${backend.kind === 'tls' ? ', over TLS' : ''}`;
}

/** What happens to the addresses that a name of a backend resolves to. */
function addressesOf(backend: Backend, indent: string, judge: Judge | undefined): string[] {
  if (judge !== undefined && backend.via !== undefined && backend.via.resolve !== 'here' && backend.kind !== 'unix')
    return [
      `${indent}${backend.via.name} is asked for ` +
        `it${addressFamily(backend.host) === 0 ? ', and resolves the name: its addresses are not judged here' : ''}`,
    ];
  if (judge === undefined || backend.kind === 'unix' || addressFamily(backend.host) !== 0) return [];
  return [
    `${indent}each address that ${backend.host} resolves to is judged too: ` +
      `${examples((address) => judge(backend, address))}`,
  ];
}

type Balancing = Pick<Service, 'balance' | 'hashOn' | 'health'>;

/** How the next backend is chosen, and how often each is looked at. */
function wayOf(how: Balancing): string {
  const checked = how.health === undefined ? '' : `; checked every ${formatDuration(how.health.intervalMs)}`;
  return `${waysOf[how.balance](how)} (${how.balance})${checked}`;
}

const waysOf: Readonly<Record<Service['balance'], (how: Balancing) => string>> = {
  'round-robin': () => 'in turns',
  'least-connections': () => 'whichever has the fewest connections',
  source: ({ hashOn }) =>
    hashOn === 'identity' ? 'always the same for one identity' : 'always the same for one client address',
};

/** Every backend of a service and what becomes of it. */
function pool(service: Service, allowed: readonly Backend[], judge: Judge | undefined): string[] {
  const { backends } = service;
  return [
    `  it is one of ${backends.length} backends, ${wayOf(service)}:`,
    ...backends.flatMap((backend) => {
      const denied = allowed.includes(backend) ? '' : ': not for this identity';
      return [
        `    ${backend.name}${weightOf(backend)}${denied}`,
        ...(denied === '' ? addressesOf(backend, '      ', judge) : []),
      ];
    }),
  ];
}

function weightOf({ weight }: Backend): string {
  return weight === 1 ? '' : weight === 0 ? ', weight 0: no new connections' : `, weight ${weight}`;
}

const samples = {
  public: '93.184.215.14',
  private: '10.255.254.253',
  loopback: '127.0.0.1',
  metadata: '169.254.169.254',
} as const;

/** What would happen for an address of each kind. */
function examples(judge: (address: string) => Verdict): string {
  return Object.entries(samples)
    .map(([kind, sample]) => `${kind} (${sample}) ${judge(sample).allow ? 'passes' : 'does not'}`)
    .join(', ');
}

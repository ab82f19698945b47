/**
 * A policy in words: what it holds, and what it decides for an identity and a destination, and why.
 * Rule: asks the policy the same questions that the egress asks. Does no I/O and resolves nothing: an address of each
 * kind shows what would become of the addresses of a name.
 * Not here: reading files and arguments, printing (the command `adit policy`).
 */
import { formatDuration } from '@adit/shared/config/values/duration';
import { addressFamily, type Destination } from '@adit/shared/protocol/destination';
import type { Policy } from './policy.ts';
import type { Backend, Service } from './service.ts';
import type { Allowed, Subject, Verdict } from './verdict.ts';
import { resolvesThere } from './via.ts';

export interface Question {
  /** One subject for each trust domain that the identity may belong to (`parseSubjects`). */
  readonly subjects: readonly Subject[];
  readonly destination: Destination;
  /** Judge as if the name resolved to this address. */
  readonly address?: string;
}

/** `allow`: every subject may. `lines`: why, without line ends. */
export interface Explanation {
  readonly allow: boolean;
  readonly lines: readonly string[];
}

/** What a policy holds, and the backends of each service that has several. */
export function describePolicy(policy: Policy): readonly string[] {
  const { rules, services, tests, blocked } = policy.size;
  const blockedNames = blocked === 0 ? [] : [count(blocked, 'blocked name')];
  const parts = [count(rules, 'rule'), count(services, 'service'), ...blockedNames, `${count(tests, 'test')} passed`];
  const pools = [...policy.services.values()].filter(({ backends }) => backends.length > 1);
  return [
    `${policy.file}: ${parts.join(', ')}`,
    ...pools.map((service) => {
      const backends = service.backends.map((backend) => `${backend.name}${weightOf(backend)}`);
      return `  ${service.name}: ${backends.length} backends, ${balancingOf(service)}: ${backends.join('; ')}`;
    }),
  ];
}

/** What the policy decides, which rule decides it, and where an allowed connection goes. */
export function explain(policy: Policy, { subjects, destination, address }: Question): Explanation {
  const answers = subjects.map((subject) => {
    if (address !== undefined) {
      const verdict = policy.decideAddress(subject, destination, address);
      return { subject, verdict, lines: linesOf(verdict) };
    }
    const verdict = policy.decide(subject, destination);
    const judge: Judge = (backend, at) => policy.decideBackend(subject, { destination, backend: backend.name }, at);
    return { subject, verdict, lines: linesOf(verdict, judge) };
  });
  return {
    allow: answers.every(({ verdict }) => verdict.allow),
    lines: answers.flatMap(({ subject, lines }) =>
      subjects.length > 1 ? [`In the trust domain ${subject.trustDomain}:`, ...lines] : lines,
    ),
  };
}

/** Judges one address of a backend; absent where the question named the address. */
type Judge = (backend: Backend, address: string) => Verdict;

function linesOf(verdict: Verdict, judge?: Judge): readonly string[] {
  if (!verdict.allow) return [`deny (${verdict.code}): ${verdict.detail}`, `  the client is told: ${verdict.reason}`];
  const { service } = verdict;
  return [
    `allow: ${verdict.detail}`,
    ...backendsOf(verdict, judge),
    ...(service?.proxyProtocol === undefined
      ? []
      : [`  a PROXY protocol ${service.proxyProtocol} header says who the client is`]),
  ];
}

/** Where an allowed connection goes. */
function backendsOf({ backends, service }: Allowed, judge?: Judge): readonly string[] {
  if (service !== undefined && service.backends.length > 1) return poolOf(service, backends, judge);
  const [only] = backends;
  const where = service === undefined ? [] : [`  it is ${whereOf(only!)}`];
  return [...where, ...addressesOf(only!, '  ', judge)];
}

function whereOf(backend: Backend): string {
  if (backend.kind === 'unix') return `the Unix socket ${backend.path}`;
  return `${backend.host} port ${backend.port}${backend.kind === 'tls' ? ', over TLS' : ''}`;
}

/** Every backend of a service, and which of them this identity may not reach. */
function poolOf(service: Service, allowed: readonly Backend[], judge?: Judge): readonly string[] {
  return [
    `  it is one of ${service.backends.length} backends, ${balancingOf(service)}:`,
    ...service.backends.flatMap((backend) => {
      const line = `    ${backend.name}${weightOf(backend)}`;
      return allowed.includes(backend)
        ? [line, ...addressesOf(backend, '      ', judge)]
        : [`${line}: not for this identity`];
    }),
  ];
}

/** Who resolves the name of a backend, and what becomes of the addresses. */
function addressesOf(backend: Backend, indent: string, judge?: Judge): readonly string[] {
  if (judge === undefined || backend.kind === 'unix') return [];
  const isName = addressFamily(backend.host) === 0;
  if (backend.via !== undefined && resolvesThere(backend.via)) {
    const resolving = isName ? ', and resolves the name: the egress does not judge its addresses' : '';
    return [`${indent}${backend.via.name} is asked for it${resolving}`];
  }
  if (!isName) return [];
  const kinds = Object.entries(samples).map(([kind, sample]) => {
    const { allow } = judge(backend, sample);
    return `${kind} (${sample}) ${allow ? 'passes' : 'does not'}`;
  });
  return [`${indent}each address that ${backend.host} resolves to is judged too: ${kinds.join(', ')}`];
}

/** An address of each kind. */
const samples = {
  public: '93.184.215.14',
  private: '10.255.254.253',
  loopback: '127.0.0.1',
  metadata: '169.254.169.254',
} as const;

/** How the next backend is chosen, and how often each is probed. */
function balancingOf({ balance, hashOn, health }: Service): string {
  const probed = health === undefined ? '' : `; checked every ${formatDuration(health.intervalMs)}`;
  return `${balance === 'source' ? sourceWords[hashOn] : balanceWords[balance]} (${balance})${probed}`;
}

const balanceWords = {
  'round-robin': 'in turn',
  'least-connections': 'the one with the fewest connections',
} as const;

const sourceWords = {
  identity: 'always the same for one identity',
  client: 'always the same for one client address',
} as const;

function weightOf({ weight }: Backend): string {
  return weight === 1 ? '' : weight === 0 ? ', weight 0: no new connections' : `, weight ${weight}`;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseAnyDestination } from '@adit/shared/protocol/destination';
import { describePolicy, explain, type Explanation } from './explain.ts';
import { Policy } from './policy.ts';
import { parseSubjects } from './subjects.ts';

const developers = `version: 1
services: { web: "tcp://10.0.0.5:80", socket: "unix:/run/app.sock" }
rules:
  - name: developers
    identities: [alice, "group:developers", "spiffe://example.org/client/ci-*"]
    allow: [web, socket, "db.internal:5432", "10.0.0.0/8:22"]
`;

interface Asker {
  readonly identity: string;
  readonly groups?: readonly string[];
  readonly address?: string;
}

function ask(text: string, { identity, groups = [], address }: Asker, to: string): Explanation {
  const policy = Policy.parse(text, 'policy.yaml');
  const destination = parseAnyDestination(to);
  const subjects = parseSubjects(identity, groups, policy.trustDomains);
  if (!destination.ok || subjects === undefined) throw new TypeError(`${identity} or ${to} cannot be asked about`);
  return explain(policy, { subjects, destination: destination.value, ...(address !== undefined && { address }) });
}
const alice = { identity: 'alice' };

describe('the description of a policy', () => {
  it('counts what the file holds', () => {
    const tests = 'tests: [{ identity: alice, destination: web, expect: allow }]\n';
    expect(describePolicy(Policy.parse(`${developers}${tests}`, 'policy.yaml'))).toEqual([
      'policy.yaml: 1 rule, 2 services, 1 test passed',
    ]);
  });

  it('names the backends of a service that has several, and how one is chosen', () => {
    const policy =
      'version: 1\nservices: { web: { backends: ["a.internal:80", { address: "unix:/run/b", weight: 0 }], ' +
      'balance: source, health: {} }, one: "tcp://c.internal:1" }\nrules: []\n';
    expect(describePolicy(Policy.parse(policy, 'policy.yaml'))).toEqual([
      'policy.yaml: 0 rules, 2 services, 0 tests passed',
      '  web: 2 backends, always the same for one identity (source); checked every 5s: tcp://a.internal:80; ' +
        'unix:/run/b, weight 0: no new connections',
    ]);
  });

  it.each([
    ['balance: source, hash-on: client', 'always the same for one client address (source)'],
    ['balance: least-connections', 'the one with the fewest connections (least-connections)'],
    ['balance: round-robin', 'in turn (round-robin)'],
  ])('says %s in words', (balance, words) => {
    const policy = `version: 1\nservices: { web: { backends: ["a:1", "b:1"], ${balance} } }\nrules: []\n`;
    expect(describePolicy(Policy.parse(policy, 'p'))[1]).toContain(`2 backends, ${words}: `);
  });
});

describe('the explanation of a decision', () => {
  it('shows every backend of a service, what becomes of its addresses, and which are not for this identity', () => {
    const policy = `version: 1
services:
  web:
    backends: ["tcp://10.0.0.1:80", { address: "tls://b.internal:443", weight: 3 }, "unix:/run/c", "tcp://10.0.9.1:80"]
    health: { interval: 1s }
    proxy-protocol: v2
rules:
  - { name: r, identities: [alice], allow: [web], deny: ["10.0.9.0/24:*"] }
`;
    expect(ask(policy, alice, 'web')).toEqual({
      allow: true,
      lines: [
        'allow: rule "r" (policy.yaml:8:45, "web") allows it',
        '  it is one of 4 backends, in turn (round-robin); checked every 1s:',
        '    tcp://10.0.0.1:80',
        '    tls://b.internal:443, weight 3',
        '      each address that b.internal resolves to is judged too: public (93.184.215.14) passes, private ' +
          '(10.255.254.253) passes, loopback (127.0.0.1) does not, metadata (169.254.169.254) does not',
        '    unix:/run/c',
        '    tcp://10.0.9.1:80: not for this identity',
        '  a PROXY protocol v2 header says who the client is',
      ],
    });
    expect(ask(policy, { identity: 'bob' }, 'web').allow).toBe(false);
  });

  it('says which rule allows, and what becomes of the addresses of a name', () => {
    expect(ask(developers, alice, 'db.internal:5432')).toEqual({
      allow: true,
      lines: [
        'allow: rule "developers" (policy.yaml:6:26, "db.internal:5432") allows it',
        '  each address that db.internal resolves to is judged too: public (93.184.215.14) passes, private ' +
          '(10.255.254.253) passes, loopback (127.0.0.1) does not, metadata (169.254.169.254) does not',
      ],
    });
  });

  it('says where a service is', () => {
    expect(ask(developers, { identity: 'bob', groups: ['ops', 'developers'] }, 'web').lines).toEqual([
      'allow: rule "developers" (policy.yaml:6:13, "web") allows it',
      '  it is 10.0.0.5 port 80',
    ]);
    expect(ask(developers, alice, 'socket').lines[1]).toBe('  it is the Unix socket /run/app.sock');
  });

  it('says why not, and what the client is told', () => {
    expect(ask(developers, alice, '10.0.0.1:23')).toEqual({
      allow: false,
      lines: [
        'deny (POLICY_DENIED): rule "developers" (policy.yaml:6:46, "10.0.0.0/8:22") is the nearest, but ' +
          'has other ports',
        '  the client is told: The policy of the egress does not allow alice to reach 10.0.0.1:23.',
      ],
    });
  });

  it('judges only the address that is given', () => {
    const at = (address: string): Explanation => ask(developers, { ...alice, address }, 'db.internal:5432');
    expect(at('10.1.2.3')).toEqual({
      allow: true,
      lines: ['allow: rule "developers" (policy.yaml:6:26, "db.internal:5432") allows it'],
    });
    expect(at('127.0.0.1')).toMatchObject({
      allow: false,
      lines: [expect.stringMatching(/^deny \(ADDRESS_PROHIBITED\): .*the address is loopback/), expect.any(String)],
    });
  });

  it('judges a destination over TLS as the same without TLS', () => {
    const { allow, lines } = ask(developers, alice, 'tls://10.1.2.3:22');
    expect([allow, lines[0]]).toEqual([true, expect.stringContaining('"10.0.0.0/8:22") allows it')]);
  });

  it('says what a next hop is asked for, and who resolves the name', () => {
    const through = (via: string): string =>
      `version: 1\nrules: [{ name: r, identities: [alice], allow: ["web.example:80"], via: ${via} }]\n`;
    expect(ask(through('"http://p:1"'), alice, 'web.example:80').lines).toEqual([
      'allow: rule "r" (policy.yaml:2:49, "web.example:80") allows it, through http://p:1',
      '  http://p:1 is asked for it, and resolves the name: the egress does not judge its addresses',
    ]);
    expect(ask(through('{ url: "http://p:1", resolve: here }'), alice, 'web.example:80').lines[1]).toMatch(
      /^ {2}each address that web\.example resolves to is judged too/,
    );
  });

  it('answers for each trust domain that a bare name may belong to, and allows when all do', () => {
    const policy = `version: 1
rules:
  - { name: one, identities: ["spiffe://one.example/client/alice"], allow: ["10.0.0.1:22"] }
  - { name: two, identities: ["spiffe://two.example/client/bob"], allow: ["10.0.0.1:22"] }
`;
    const { allow, lines } = ask(policy, alice, '10.0.0.1:22');
    expect(allow).toBe(false);
    expect(lines.map((line) => line.replace(/: rule.*|: no rule.*/, ''))).toEqual([
      'In the trust domain one.example:',
      'allow',
      'In the trust domain two.example:',
      'deny (POLICY_DENIED)',
      '  the client is told: The policy of the egress does not allow alice to reach 10.0.0.1:22.',
    ]);
  });
});

it('says what docs/policy.md shows', () => {
  const docs = readFileSync(join(import.meta.dirname, '../../../../docs/policy.md'), 'utf8');
  const [policy, tests] = [...docs.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1]!);
  const whole = Policy.parse(`${policy!}${tests!.replace('tests:\n', '')}`, 'policy.yaml');
  expect(describePolicy(whole)).toEqual(['policy.yaml: 1 rule, 1 service, 6 tests passed']);
  const shown = [...docs.matchAll(/^\$ adit policy (explain|check) policy\.yaml ?(.*)\n((?:(?!```|\$|\n).*\n)+)/gm)];
  expect(shown).toHaveLength(3);
  for (const [, command, args, expected] of shown) {
    const lines = command === 'check' ? describePolicy(Policy.parse(policy!, 'policy.yaml')) : asked(policy!, args!);
    expect(`${lines.join('\n')}\n`).toBe(expected);
  }
});

/** What the command answers to these arguments. */
function asked(policy: string, args: string): readonly string[] {
  const { identity, group, to } = /^--identity (?<identity>\S+)(?: --group (?<group>\S+))? (?<to>\S+)$/.exec(args)!
    .groups as { identity: string; group?: string; to: string };
  return ask(policy, { identity, ...(group !== undefined && { groups: [group] }) }, to).lines;
}

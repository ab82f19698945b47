import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AditError } from '@adit/shared/errors';
import { formatAddress } from '@adit/shared/protocol/address';
import { type Destination, parseDestination } from '@adit/shared/protocol/destination';
import { Policy } from './policy.ts';
import type { Subject } from './verdict.ts';

const subject = (name: string, ...groups: string[]): Subject => ({
  name,
  groups,
  trustDomain: 'example.org',
  uri: `spiffe://example.org/client/${name}`,
});
const alice = subject('alice');
const to = (text: string): Destination => {
  const parsed = parseDestination(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
};
const rule = (name: string, allow: readonly string[], deny: readonly string[] = [], identities = ['alice']) => ({
  name,
  identities,
  allow,
  deny,
});
const policy = (rules: readonly object[], services: Readonly<Record<string, string>> = {}) =>
  Policy.parse(JSON.stringify({ version: 1, services, rules }), 'policy.yaml');
const allows = (allow: readonly string[], deny: readonly string[] = []) => policy([rule('r', allow, deny)]);

const example = Policy.parse(
  `
version: 1
services:
  web: tcp://10.0.0.5:80
rules:
  - name: developers
    identities: [alice, "group:developers", "spiffe://example.org/client/ci-*"]
    allow: [web, "db.internal:5432", "*.svc.internal:443,8443", "10.0.0.0/8:22", "127.0.0.1:*", "[fd00::/8]:*"]
    deny: ["10.0.9.0/24:*"]
tests:
  - { identity: alice, destination: web, expect: allow }
  - { identity: bob, destination: web, expect: deny }
`,
  'policy.yaml',
);

describe('a policy', () => {
  it.each([
    ['web', true],
    ['db.internal:5432', true],
    ['db.internal:5433', false],
    ['a.svc.internal:443', true],
    ['a.b.svc.internal:8443', true],
    ['svc.internal:443', false],
    ['10.1.2.3:22', true],
    ['10.1.2.3:23', false],
    ['10.0.9.7:22', false],
    ['11.0.0.1:22', false],
    ['127.0.0.1:9', true],
    ['127.0.0.2:9', false],
    ['localhost:9', true],
    ['[fd12::1]:1', true],
    ['[fe80::1]:1', false],
    ['[fd00:ec2::254]:80', false],
    ['[::ffff:127.0.0.1]:9', true],
    ['[::1]:9', false],
    ['example.com:443', false],
    ['10.0.0.5:80', false],
  ])('answers as its file says: alice to %s is allowed: %s', (destination, expected) => {
    expect(example.decide(alice, to(destination)).allow).toBe(expected);
    expect(example.decide(subject('dave', 'developers'), to(destination)).allow).toBe(expected);
    expect(example.decide(subject('ci-7'), to(destination)).allow).toBe(expected);
    expect(example.decide(subject('bob'), to(destination)).allow).toBe(false);
  });

  it('says what it holds, and whom it speaks about', () => {
    expect(example.size).toEqual({ rules: 1, services: 1, tests: 2, blocked: 0 });
    expect(example.trustDomains).toEqual(['example.org']);
    expect(
      [alice, subject('bob', 'developers'), subject('ci-1'), subject('bob'), subject('ci-')].map((who) =>
        example.knows(who),
      ),
    ).toEqual([true, true, true, false, false]);
  });

  it('gives the rule, the target, and the reason of an allow', () => {
    expect(example.decide(alice, to('web'))).toEqual({
      allow: true,
      rule: 'developers',
      service: example.services.get('web'),
      backends: [{ kind: 'tcp', host: '10.0.0.5', port: 80, name: 'tcp://10.0.0.5:80', weight: 1 }],
      detail: 'rule "developers" (policy.yaml:8:13, "web") allows it',
    });
  });

  it('gives the client a reason that says nothing about the rules, and the log one that does', () => {
    expect(example.decide(alice, to('10.0.9.7:22'))).toEqual({
      allow: false,
      code: 'POLICY_DENIED',
      rule: 'developers',
      reason: 'The policy of the egress does not allow alice to reach 10.0.9.7:22.',
      detail: 'rule "developers" (policy.yaml:9:12, "10.0.9.0/24:*") denies it',
    });
    expect(example.decideAddress(alice, to('db.internal:5432'), '169.254.169.254')).toEqual({
      allow: false,
      code: 'ADDRESS_PROHIBITED',
      rule: 'developers',
      reason: 'db.internal:5432 resolves to an address that the policy of the egress does not let this name reach.',
      detail:
        'rule "developers" (policy.yaml:8:18, "db.internal:5432") allows it, but the address is metadata: only ' +
        'a rule with that address, or a range inside its block, reaches it',
    });
  });

  it('knows no service that its file does not define', () => {
    expect(example.decide(alice, to('wbe'))).toMatchObject({
      allow: false,
      code: 'UNKNOWN_SERVICE',
      reason: 'The egress defines no service "wbe".',
    });
    expect(example.decide(alice, { kind: 'service', service: '__proto__' })).toMatchObject({ code: 'UNKNOWN_SERVICE' });
  });

  it('denies everything without rules', () => {
    expect(policy([]).decide(alice, to('example.com:443'))).toMatchObject({
      allow: false,
      code: 'POLICY_DENIED',
      detail: 'no rule speaks about this identity',
    });
  });

  it('compares hosts in their one spelling, whoever made the destination, and refuses what is none', () => {
    expect(example.decide(alice, { kind: 'host', host: 'DB.Internal.', port: 5432 })).toMatchObject({
      allow: true,
      backends: [{ host: 'db.internal', port: 5432 }],
    });
    expect(allows(['*:*']).decide(alice, { kind: 'host', host: '127.1', port: 80 })).toMatchObject({
      allow: false,
      code: 'POLICY_DENIED',
    });
    for (const port of [0, 65536, 1.5, Number.NaN, -1])
      expect(allows(['*:*']).decide(alice, { kind: 'host', host: 'example.com', port }).allow).toBe(false);
  });

  it('asks the whole question again for an address, and for no other address than the one asked for', () => {
    expect(example.decideAddress(alice, to('example.com:443'), '93.184.215.14')).toMatchObject({
      allow: false,
      code: 'POLICY_DENIED',
    });
    expect(example.decideAddress(alice, to('10.1.2.3:22'), '10.1.2.3').allow).toBe(true);
    expect(example.decideAddress(alice, to('10.1.2.3:22'), '::ffff:10.1.2.3').allow).toBe(true);
    expect(example.decideAddress(alice, to('10.1.2.3:22'), '10.1.2.4')).toMatchObject({
      allow: false,
      code: 'ADDRESS_PROHIBITED',
    });
    expect(example.decideAddress(alice, to('10.1.2.3:22'), 'fd12::1')).toMatchObject({
      allow: false,
      code: 'ADDRESS_PROHIBITED',
    });
    expect(example.decideAddress(alice, to('web'), '10.0.0.6')).toMatchObject({
      allow: false,
      code: 'ADDRESS_PROHIBITED',
    });
    for (const odd of ['fe80::1%eth0', '', 'db.internal', '127.1'])
      expect(example.decideAddress(alice, to('db.internal:5432'), odd)).toMatchObject({
        allow: false,
        code: 'ADDRESS_PROHIBITED',
      });
  });
});

describe('deny', () => {
  it('of a range also holds for every address a name or a service stands for', () => {
    const denying = policy([rule('r', ['*.internal:22', 'web', '10.0.0.0/8:22'], ['10.0.9.0/24:*'])], {
      web: 'tcp://10.0.9.1:80',
    });
    expect(denying.decideAddress(alice, to('a.internal:22'), '10.0.9.1')).toMatchObject({
      allow: false,
      code: 'POLICY_DENIED',
      rule: 'r',
    });
    expect(denying.decideAddress(alice, to('a.internal:22'), '64:ff9b::10.0.9.1').allow).toBe(false);
    expect(denying.decideAddress(alice, to('a.internal:22'), '::ffff:10.0.9.1').allow).toBe(false);
    expect(denying.decideAddress(alice, to('a.internal:22'), '10.0.8.1').allow).toBe(true);
    expect(denying.decide(alice, to('web'))).toMatchObject({ allow: false, rule: 'r' });
  });

  it('of a name holds for the requested name and for a service defined with it', () => {
    const denying = policy([rule('r', ['*.internal:*', 'db', '10.0.0.0/8:*'], ['db.internal:5432'])], {
      db: 'tcp://db.internal:5432',
    });
    expect(denying.decide(alice, to('db.internal:5432')).allow).toBe(false);
    expect(denying.decide(alice, to('db.internal:5433')).allow).toBe(true);
    expect(denying.decide(alice, to('db')).allow).toBe(false);
    expect(denying.decide(alice, to('10.0.0.1:5432')).allow).toBe(true);
  });

  it('of * holds for names, addresses and services', () => {
    const denying = policy([rule('r', ['*:*', '10.0.0.0/8:*', 'mail'], ['*:25'])], { mail: 'tcp://10.0.0.1:25' });
    for (const destination of ['a.example:25', '10.0.0.1:25', '1.1.1.1:25', 'mail'])
      expect(denying.decide(alice, to(destination)).allow).toBe(false);
    expect(denying.decide(alice, to('10.0.0.1:26')).allow).toBe(true);
  });

  it('of a service is about that service', () => {
    const denying = policy([rule('r', ['web', '10.0.0.5:80'], ['web'])], { web: 'tcp://10.0.0.5:80' });
    expect(denying.decide(alice, to('web')).allow).toBe(false);
    expect(denying.decide(alice, to('10.0.0.5:80')).allow).toBe(true);
  });

  it('speaks about the identities of its own rule only', () => {
    const denying = policy([rule('all', ['*:443'], [], ['*']), rule('interns', [], ['*:443'], ['group:interns'])]);
    expect(denying.decide(alice, to('example.com:443')).allow).toBe(true);
    expect(denying.decide(subject('bob', 'interns'), to('example.com:443'))).toMatchObject({
      allow: false,
      rule: 'interns',
    });
  });

  const patterns = [
    'web',
    'db.internal:5432',
    'db.internal:*',
    '*.internal:5432',
    '10.0.0.0/8:5432',
    '10.0.0.7:*',
    '0.0.0.0/0:*',
    '*:*',
    '*:5432',
    '[::/0]:*',
    '127.0.0.0/8:5432',
    '[64:ff9b::/96]:*',
    '[64:ff9b::a00:0/104]:*',
  ];
  const addresses = ['10.0.0.7', '1.1.1.1', '127.0.0.1', '169.254.169.254', '64:ff9b::10.0.0.7', '::1', 'fd00::1'];
  const lists = fc.array(fc.tuple(fc.subarray(patterns), fc.subarray(patterns, { maxLength: 2 })), {
    minLength: 1,
    maxLength: 4,
  });

  it('wins in any order of rules, and the order changes no answer', () => {
    fc.assert(
      fc.property(
        lists,
        fc.constantFrom('web', 'db.internal:5432', '10.0.0.7:5432', '127.0.0.1:5432'),
        fc.constantFrom(...addresses),
        fc.nat(),
        (list, destination, address, turn) => {
          const rules = list.map(([allow, deny], at) => rule(`r${at}`, allow, deny));
          const turned = rules.map((_, at) => rules[(at + turn) % rules.length]!).reverse();
          const services = { web: 'tcp://10.0.0.5:80' };
          const [one, other] = [policy(rules, services), policy(turned, services)];
          const without = policy(
            rules.map((each) => ({ ...each, deny: [] })),
            services,
          );
          const only = policy(
            rules.map((each) => ({ ...each, allow: each.deny, deny: [] })),
            services,
          );
          for (const ask of [
            (p: Policy) => p.decide(alice, to(destination)).allow,
            (p: Policy) => p.decideAddress(alice, to(destination), address).allow,
          ]) {
            expect(ask(one)).toBe(ask(other));
            // Taking denies away never takes access away, and what the denied patterns would allow by themselves is
            // denied.
            if (ask(one)) {
              expect(ask(without)).toBe(true);
              expect(ask(only)).toBe(false);
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('special addresses', () => {
  const v4Forms = (v4: string): string[] => {
    const [a, b, c, d] = v4.split('.').map(Number) as [number, number, number, number];
    const hex = (high: number, low: number): string => ((high << 8) | low).toString(16);
    return [
      v4,
      `::ffff:${v4}`,
      `::FFFF:${hex(a, b)}:${hex(c, d)}`,
      `0:0:0:0:0:ffff:${v4}`,
      `64:ff9b::${v4}`,
      `64:ff9b:1::${v4}`,
      `::${v4}`,
      `::ffff:0:${v4}`,
      `2002:${hex(a, b)}:${hex(c, d)}::1`,
      `2001:0:4136:e378:8000:63bf:${hex(~a & 255, ~b & 255)}:${hex(~c & 255, ~d & 255)}`,
      `2606:4700::5efe:${v4}`,
      `2606:4700::200:5efe:${v4}`,
    ];
  };
  const special = [
    '127.0.0.1',
    '127.8.8.8',
    '169.254.169.254',
    '169.254.1.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '100.100.100.200',
  ].flatMap(v4Forms);
  const everything = [...special, '::1', '::', 'fe80::1', 'fd00:ec2::254', 'ff02::1', '0:0:0:0:0:0:0:1'];
  const unnamed = [
    '*:*',
    'db.internal:*',
    '*.internal:*',
    '0.0.0.0/0:*',
    '[::/0]:*',
    '126.0.0.0/7:*',
    '128.0.0.0/1:*',
    '[2000::/3]:*',
    '[::/8]:*',
    '[64:ff9b::/96]:*',
    '[2001::/32]:*',
    '[2002::/16]:*',
    '[fe00::/7]:*',
    '[::/3]:*',
    'svc',
  ];
  const services = { svc: 'tcp://db.internal:80' };

  it('are reached by no pattern that does not name them, in no spelling', () => {
    fc.assert(
      fc.property(fc.subarray(unnamed, { minLength: 1 }), fc.constantFrom(...everything), (allow, address) => {
        const asked = policy([rule('r', allow)], services);
        for (const destination of ['db.internal:80', 'a.internal:80', 'localhost.internal:80', 'svc'])
          expect(asked.decideAddress(alice, to(destination), address).allow).toBe(false);
        expect(asked.decide(alice, to(address.includes(':') ? `[${address}]:80` : `${address}:80`)).allow).toBe(false);
        if (allow.includes('*:*'))
          expect(asked.decide(alice, to(address.includes(':') ? `[${address}]:80` : `${address}:80`))).toMatchObject({
            code: 'ADDRESS_PROHIBITED',
          });
      }),
      { numRuns: 1000 },
    );
  });

  it.each(everything)('are reached by a rule with that address: %s', (address) => {
    const named = allows([address.includes(':') ? `[${address}]:80` : `${address}:80`, 'db.internal:80']);
    expect(named.decide(alice, to(address.includes(':') ? `[${address}]:80` : `${address}:80`)).allow).toBe(true);
    expect(named.decideAddress(alice, to('db.internal:80'), address).allow).toBe(true);
    expect(named.decideAddress(alice, to('other.internal:80'), address).allow).toBe(false);
  });

  it.each([
    ['127.0.0.0/8', '127.9.9.9', true],
    ['127.0.0.0/16', '127.0.3.3', true],
    ['126.0.0.0/7', '127.0.0.1', false],
    ['169.254.0.0/16', '169.254.1.1', true],
    ['169.254.0.0/16', '169.254.169.254', false],
    ['169.254.169.254/32', '169.254.169.254', true],
    ['10.0.0.0/8', '10.1.1.1', true],
    ['8.0.0.0/6', '10.1.1.1', false],
    ['0.0.0.0/0', '10.1.1.1', false],
    ['0.0.0.0/0', '1.1.1.1', true],
    ['100.64.0.0/10', '100.100.100.200', false],
    ['fc00::/7', 'fd00::1', true],
    ['fc00::/6', 'fd00::1', false],
    ['fd00::/8', 'fd00:ec2::254', false],
    ['fe80::/10', 'fe80::1', true],
    ['64:ff9b::/96', '64:ff9b::1.1.1.1', true],
    ['64:ff9b::/96', '64:ff9b::7f00:1', false],
    ['64:ff9b::7f00:0/104', '64:ff9b::7f00:1', true],
    ['127.0.0.0/8', '64:ff9b::7f00:1', false],
    ['127.0.0.0/8', '::ffff:127.0.0.1', true],
  ])('the range %s names %s: %s', (range, address, expected) => {
    const text = range.includes(':') ? `[${range}]:80` : `${range}:80`;
    expect(allows([text]).decide(alice, to(address.includes(':') ? `[${address}]:80` : `${address}:80`)).allow).toBe(
      expected,
    );
    expect(allows([text, '*:80']).decideAddress(alice, to('a.example:80'), address).allow).toBe(
      expected || address === '1.1.1.1',
    );
  });

  it('that are private are reached by exact names and by wildcards, not by *', () => {
    for (const address of ['10.0.0.1', '192.168.1.1', '172.16.0.1', '100.64.0.1', 'fd00::1', '64:ff9b::10.0.0.1']) {
      expect(allows(['db.internal:80']).decideAddress(alice, to('db.internal:80'), address).allow).toBe(true);
      expect(allows(['*.internal:80']).decideAddress(alice, to('db.internal:80'), address).allow).toBe(true);
      expect(allows(['*:80']).decideAddress(alice, to('db.internal:80'), address)).toMatchObject({
        allow: false,
        code: 'ADDRESS_PROHIBITED',
      });
      expect(allows(['*:80', 'db.internal:80']).decideAddress(alice, to('db.internal:80'), address).allow).toBe(true);
    }
  });

  it('that are loopback are reached by localhost, where that is named exactly or a range names loopback', () => {
    const ask = (allow: string[], address: string): boolean =>
      allows(allow).decideAddress(alice, to('localhost:80'), address).allow;
    expect([
      ask(['localhost:80'], '127.0.0.1'),
      ask(['localhost:80'], '::1'),
      ask(['127.0.0.1:80'], '127.0.0.1'),
      ask(['[::1]:80'], '::1'),
      ask(['127.0.0.0/8:80'], '127.0.0.1'),
    ]).toEqual([true, true, true, true, true]);
    expect([
      ask(['localhost:80'], '169.254.169.254'),
      ask(['127.0.0.1:80'], '::1'),
      ask(['127.0.0.1:80'], '10.0.0.1'),
      ask(['*:80'], '127.0.0.1'),
      ask(['0.0.0.0/0:80'], '127.0.0.1'),
      ask(['10.0.0.0/8:80'], '10.0.0.1'),
    ]).toEqual([false, false, false, false, false, false]);
    expect(allows(['127.0.0.1:80']).decide(alice, to('localhost:80')).allow).toBe(true);
    expect(allows(['10.0.0.0/8:80']).decide(alice, to('localhost:80')).allow).toBe(false);
  });

  it('are reached by a service defined with that address, and by one defined with a name as by that name', () => {
    const services = {
      here: 'tcp://127.0.0.1:80',
      meta: 'tcp://169.254.169.254:80',
      name: 'tcp://db.internal:80',
      local: 'tcp://localhost:80',
    };
    const asked = policy([rule('r', Object.keys(services))], services);
    expect([
      asked.decide(alice, to('here')).allow,
      asked.decide(alice, to('meta')).allow,
      asked.decide(alice, to('name')).allow,
    ]).toEqual([true, true, true]);
    expect(
      ['10.0.0.1', '1.1.1.1', '127.0.0.1', '169.254.169.254'].map(
        (address) => asked.decideAddress(alice, to('name'), address).allow,
      ),
    ).toEqual([true, true, false, false]);
    expect(asked.decideAddress(alice, to('local'), '127.0.0.1').allow).toBe(true);
    expect(asked.decide(alice, to('127.0.0.1:80')).allow).toBe(false);
  });

  it('are not named by a name that only looks like an address', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (bytes) => {
        const dotted = formatAddress(bytes);
        expect(allows(['*:80', '*.nip.io:80']).decide(alice, to(`${dotted}.nip.io:80`)).allow).toBe(true);
        expect(allows([`${dotted}:80`]).decide(alice, to(`${dotted}.nip.io:80`)).allow).toBe(false);
      }),
    );
  });
});

describe('a file that is not valid', () => {
  const complaints = (text: string): string[] => {
    try {
      Policy.parse(text, 'p.yaml');
      return [];
    } catch (error) {
      expect(error).toBeInstanceOf(AditError);
      expect((error as AditError).code).toBe('POLICY_INVALID');
      return (error as AditError).message.split('\n');
    }
  };

  it('gets its failing tests listed, each with its place and what was decided', () => {
    const base = 'version: 1\nrules:\n  - { name: r, identities: [alice], allow: ["db.internal:5432"] }\ntests:\n';
    expect(complaints(`${base}  - { identity: alice, destination: "db.internal:5432", expect: allow }\n`)).toEqual([]);
    expect(
      complaints(
        `${base}  - { identity: alice, destination: "db.internal:5432", expect: deny }\n  - { identity: bob, ` +
          'destination: "db.internal:5432", expect: allow }\n',
      ),
    ).toEqual([
      'p.yaml:5:5: the test fails: alice to db.internal:5432 has to get deny and gets allow: rule "r" ' +
        '(p.yaml:3:45, "db.internal:5432") allows it',
      'p.yaml:6:5: the test fails: bob to db.internal:5432 has to get allow and gets deny (POLICY_DENIED): no ' +
        'rule speaks about this identity',
    ]);
  });

  it('never makes anything but complaints, whatever its text', () => {
    const key = fc.constantFrom(
      'version',
      'services',
      'rules',
      'tests',
      'name',
      'identities',
      'allow',
      'deny',
      'identity',
      'destination',
      'expect',
      'extra',
      '__proto__',
      'constructor',
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(1, 'web', '*:*', 'alice', null, true),
        fc.string(),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(
        fc.oneof(
          tree.map((value) => JSON.stringify(value)),
          fc.string(),
        ),
        (text) => {
          for (const line of complaints(text)) expect(line).toMatch(/^p\.yaml:\d+:\d+: ./);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

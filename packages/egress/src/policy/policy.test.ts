import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AditError } from '@adit/shared/errors';
import { alice, allowing, policyOf, subject, to } from '../../../../test/support/policies.ts';
import { Policy } from './policy.ts';

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

  it('says what it holds, and whom it names', () => {
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
    expect(policyOf([]).decide(alice, to('example.com:443'))).toMatchObject({
      allow: false,
      code: 'POLICY_DENIED',
      detail: 'no rule names this identity',
    });
  });

  it('compares hosts in their one spelling, whoever made the destination, and refuses anything else', () => {
    expect(example.decide(alice, { kind: 'host', host: 'DB.Internal.', port: 5432 })).toMatchObject({
      allow: true,
      backends: [{ host: 'db.internal', port: 5432 }],
    });
    expect(allowing('*:*').decide(alice, { kind: 'host', host: '127.1', port: 80 })).toMatchObject({
      allow: false,
      code: 'POLICY_DENIED',
    });
    for (const port of [0, 65536, 1.5, Number.NaN, -1])
      expect(allowing('*:*').decide(alice, { kind: 'host', host: 'example.com', port }).allow).toBe(false);
  });

  it('judges everything again for an address, and refuses any other than the one asked for', () => {
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

  it('gets its failing tests listed, each with its position and the verdict', () => {
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
        'rule names this identity',
    ]);
  });

  it('gives complaints and nothing else, whatever its text', () => {
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

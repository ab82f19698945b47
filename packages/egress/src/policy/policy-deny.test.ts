import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { alice, policyOf, rule, subject, to } from '../../../../test/support/policies.ts';
import type { Policy } from './policy.ts';

describe('deny', () => {
  it('of a range also applies to every address of a name or a service', () => {
    const denying = policyOf([rule('r', ['*.internal:22', 'web', '10.0.0.0/8:22'], { deny: ['10.0.9.0/24:*'] })], {
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

  it('of a name applies to that name and to a service defined with it', () => {
    const denying = policyOf([rule('r', ['*.internal:*', 'db', '10.0.0.0/8:*'], { deny: ['db.internal:5432'] })], {
      db: 'tcp://db.internal:5432',
    });
    expect(denying.decide(alice, to('db.internal:5432')).allow).toBe(false);
    expect(denying.decide(alice, to('db.internal:5433')).allow).toBe(true);
    expect(denying.decide(alice, to('db')).allow).toBe(false);
    expect(denying.decide(alice, to('10.0.0.1:5432')).allow).toBe(true);
  });

  it('of * applies to names, addresses and services', () => {
    const denying = policyOf([rule('r', ['*:*', '10.0.0.0/8:*', 'mail'], { deny: ['*:25'] })], {
      mail: 'tcp://10.0.0.1:25',
    });
    for (const destination of ['a.example:25', '10.0.0.1:25', '1.1.1.1:25', 'mail'])
      expect(denying.decide(alice, to(destination)).allow).toBe(false);
    expect(denying.decide(alice, to('10.0.0.1:26')).allow).toBe(true);
  });

  it('of a service applies to that service only', () => {
    const denying = policyOf([rule('r', ['web', '10.0.0.5:80'], { deny: ['web'] })], { web: 'tcp://10.0.0.5:80' });
    expect(denying.decide(alice, to('web')).allow).toBe(false);
    expect(denying.decide(alice, to('10.0.0.5:80')).allow).toBe(true);
  });

  it('applies only to the identities of its own rule', () => {
    const denying = policyOf([
      rule('all', ['*:443'], { identities: ['*'] }),
      rule('interns', [], { deny: ['*:443'], identities: ['group:interns'] }),
    ]);
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
          const rules = list.map(([allow, deny], at) => rule(`r${at}`, allow, { deny }));
          const turned = rules.map((_, at) => rules[(at + turn) % rules.length]!).reverse();
          const services = { web: 'tcp://10.0.0.5:80' };
          const [one, other] = [policyOf(rules, services), policyOf(turned, services)];
          const without = policyOf(
            rules.map((each) => ({ ...each, deny: [] })),
            services,
          );
          const only = policyOf(
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

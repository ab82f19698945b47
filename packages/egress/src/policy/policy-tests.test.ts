import { describe, expect, it } from '@jest/globals';
import { Policy } from './policy.ts';

const parse =
  (tests: string, identities = 'alice, "group:dev", "spiffe://a.org/client/ci-*"') =>
  () =>
    Policy.parse(
      `version: 1
rules: [{ name: r, identities: [${identities}], allow: ["db.internal:5432", "127.0.0.1:22"] }]
tests: [${tests}]`,
      'p.yaml',
    );

describe('tests in a policy', () => {
  it.each([
    '{ identity: alice, destination: "db.internal:5432", expect: allow }',
    '{ identity: bob, destination: "db.internal:5432", expect: deny }',
    '{ identity: bob, groups: [dev], destination: "db.internal:5432", expect: allow }',
    '{ identity: "group:dev", destination: "db.internal:5432", expect: allow }',
    '{ identity: ci-7, destination: "db.internal:5432", expect: allow }',
    '{ identity: "spiffe://a.org/client/ci-7", destination: "db.internal:5432", expect: allow }',
    '{ identity: "spiffe://b.org/client/ci-7", destination: "db.internal:5432", expect: deny }',
    '{ identity: alice, destination: "db.internal:5432", address: 10.0.0.1, expect: allow }',
    '{ identity: alice, destination: "db.internal:5432", address: 169.254.169.254, expect: deny }',
    '{ identity: alice, destination: "127.0.0.1:22", expect: allow }',
    '{ identity: alice, destination: "db.internal:22", address: 127.0.0.1, expect: deny }',
  ])('hold: %s', (test) => {
    expect(parse(test)).not.toThrow();
  });

  it('ask about a bare name in every trust domain that the file pins', () => {
    const test = '{ identity: ci-7, destination: "db.internal:5432", expect: allow }';
    expect(parse(test, '"spiffe://a.org/client/ci-*", "spiffe://b.org/client/x"')).toThrow(
      'p.yaml:3:9: the test fails: spiffe://b.org/client/ci-7 to db.internal:5432 has to get allow and gets ' +
        'deny (POLICY_DENIED): no rule names this identity',
    );
    expect(parse(test.replace('allow', 'deny'), '"spiffe://a.org/client/ci-*", "spiffe://b.org/client/x"')).toThrow(
      'spiffe://a.org/client/ci-7 to db.internal:5432 has to get deny and gets allow',
    );
  });

  it('name the address that they are about', () => {
    expect(
      parse('{ identity: alice, destination: "db.internal:5432", address: 169.254.169.254, expect: allow }'),
    ).toThrow(
      'alice to db.internal:5432 at 169.254.169.254 has to get allow and gets deny (ADDRESS_PROHIBITED)'.replace(
        'alice',
        'spiffe://a.org/client/alice',
      ),
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import { keysAt, policySchema } from './schema.ts';

const rule = { name: 'r', identities: ['alice'], allow: ['web'] };

describe('the schema of a policy', () => {
  it('turns texts into patterns and keeps the texts', () => {
    const parsed = policySchema({ web: 'tcp://DB.Internal:80' }).parse({
      version: 1,
      services: { web: 'tcp://DB.Internal:80' },
      rules: [rule],
      tests: [{ identity: 'alice', destination: '[::1]:22', address: '::1', expect: 'deny' }],
    });
    expect(parsed.services).toMatchObject({
      web: { backends: [{ name: 'tcp://db.internal:80', host: 'db.internal', port: 80 }] },
    });
    expect(parsed.rules[0]?.allow).toEqual([{ text: 'web', value: { kind: 'service', service: 'web' } }]);
    expect(parsed.tests?.[0]).toMatchObject({
      destination: { value: { kind: 'host', host: '::1', port: 22 } },
      address: { value: '::1' },
      expect: 'deny',
    });
  });

  it('refuses a service that is not defined', () => {
    expect(policySchema({}).safeParse({ version: 1, rules: [rule] }).success).toBe(false);
  });

  it.each([
    '10.0.0.5:80',
    'udp://10.0.0.5:80',
    'tcp://10.0.0.5',
    'tcp://web',
    'tcp://10.0.0.5:80/',
    'tcp://u@h:80',
    'TCP://a:80',
    'tcp://127.1:80',
  ])('refuses the target %s', (target) => {
    expect(policySchema({ web: target }).safeParse({ version: 1, services: { web: target }, rules: [] }).success).toBe(
      false,
    );
  });

  it.each([
    { address: 'db.internal' },
    { address: '10.1' },
    { groups: ['group:a'] },
    { groups: ['a*'] },
    { extra: 1 },
    { expect: 'Allow' },
  ])('refuses a test with %o', (fault) => {
    expect(
      policySchema({}).safeParse({
        version: 1,
        rules: [],
        tests: [{ identity: 'alice', destination: 'a:1', expect: 'deny', ...fault }],
      }).success,
    ).toBe(false);
  });

  it('knows the keys that it suggests', () => {
    const issues =
      policySchema({}).safeParse(Object.fromEntries(keysAt([]).map((key) => [key, [{}]]))).error?.issues ?? [];
    expect(issues.some(({ code }) => code === 'unrecognized_keys')).toBe(false);
  });
});

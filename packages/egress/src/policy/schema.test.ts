import { describe, expect, it } from '@jest/globals';
import { policy } from './schema.ts';
import { read } from './shape.ts';

const rule = { name: 'r', identities: ['alice'], allow: ['web'] };

describe('the schema of a policy', () => {
  it('turns texts into patterns and keeps the texts', () => {
    const { value: parsed, faults } = read(policy, {
      version: 1,
      services: { web: 'tcp://DB.Internal:80' },
      rules: [rule],
      tests: [{ identity: 'alice', destination: '[::1]:22', address: '::1', expect: 'deny' }],
    });
    expect(faults).toEqual([]);
    expect(parsed?.services).toMatchObject({
      web: { backends: [{ name: 'tcp://db.internal:80', host: 'db.internal', port: 80 }] },
    });
    expect(parsed?.rules[0]?.allow).toEqual([{ text: 'web', value: { kind: 'service', service: 'web' } }]);
    expect(parsed?.tests?.[0]).toMatchObject({
      destination: { value: { kind: 'host', host: '::1', port: 22 } },
      address: { value: '::1' },
      expect: 'deny',
    });
  });

  it('refuses a service that is not defined', () => {
    expect(read(policy, { version: 1, rules: [rule] }).faults).toEqual([
      { path: ['rules', 0, 'allow', 0], text: expect.stringContaining('no service of that name is defined') },
    ]);
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
    expect(read(policy, { version: 1, services: { web: target }, rules: [] }).faults).toHaveLength(1);
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
      read(policy, {
        version: 1,
        rules: [],
        tests: [{ identity: 'alice', destination: 'a:1', expect: 'deny', ...fault }],
      }).faults,
    ).toHaveLength(1);
  });

  it('names the keys that there are beside one that there is not', () => {
    expect(read(policy, { version: 1, rules: [], rule: [] })).toEqual({
      value: undefined,
      faults: [{ path: [], key: 'rule', known: ['version', 'rules', 'services', 'tests'] }],
    });
  });
});

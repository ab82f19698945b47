import { egressSettings } from '@adit/egress';
import { ingressSettings } from '@adit/ingress';
import { expect, test } from '@jest/globals';
import { checkEnvironment, environmentVariables, unknownVariables } from './environment.ts';
import { variableOf } from './setting.ts';

test('the list of variables is the union of all commands', () => {
  const tables = [...Object.values(egressSettings), ...Object.values(ingressSettings)].map((setting) =>
    variableOf(setting.name),
  );
  expect(new Set(environmentVariables)).toEqual(
    new Set([...tables, 'ADIT_CONFIG', 'ADIT_CA_DIR', 'ADIT_CA_PASSPHRASE', 'ADIT_P12_PASSWORD']),
  );
  expect(new Set(environmentVariables).size).toBe(environmentVariables.length);
});

test('an unknown ADIT_ variable is a complaint with a suggestion, and its value is not shown', () => {
  expect(unknownVariables({ ADIT_CA_PASSPHRAS: 'hunter2', PATH: '/bin', XADIT_FOO: '1' })).toEqual([
    {
      code: 'CONFIG_UNKNOWN_KEY',
      text: 'the environment variable "ADIT_CA_PASSPHRAS" is unknown; did you mean ADIT_CA_PASSPHRASE?',
    },
  ]);
  expect(unknownVariables({ adit_listen: 'x' })).toHaveLength(1);
});

test('known variables of other commands are fine', () => {
  expect(() => {
    checkEnvironment({ ADIT_CA_DIR: '/ca', ADIT_EGRESS: 'x', ADIT_POLICY: 'y' });
  }).not.toThrow();
  expect(() => {
    checkEnvironment({ ADIT_ZZZ: '' });
  }).toThrow(
    expect.objectContaining({ code: 'CONFIG_UNKNOWN_KEY', message: 'the environment variable "ADIT_ZZZ" is unknown' }),
  );
});

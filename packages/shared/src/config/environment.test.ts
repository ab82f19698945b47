import { egressSettings } from '@adit/egress';
import { ingressSettings } from '@adit/ingress';
import { expect, test } from '@jest/globals';
import { memoryLog } from '../../../../test/support/in-process.ts';
import { environmentVariables, logUnknownVariables, unknownVariables, warnOfVariables } from './environment.ts';
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

test('an unknown ADIT_ variable is named with a suggestion, and its value is not shown', () => {
  expect(unknownVariables({ ADIT_CA_PASSPHRAS: 'hunter2', ADIT_ZZZ: 'x', PATH: '/bin', XADIT_FOO: '1' })).toEqual([
    {
      variable: 'ADIT_CA_PASSPHRAS',
      text: 'the environment variable "ADIT_CA_PASSPHRAS" is unknown; did you mean ADIT_CA_PASSPHRASE?',
    },
    { variable: 'ADIT_ZZZ', text: 'the environment variable "ADIT_ZZZ" is unknown and ignored' },
  ]);
  expect(unknownVariables({ adit_listen: 'x' })).toHaveLength(1);
});

test('known variables of other commands are fine', () => {
  expect(unknownVariables({ ADIT_CA_DIR: '/ca', ADIT_EGRESS: 'x', ADIT_POLICY: 'y' })).toEqual([]);
});

/** What Kubernetes 1.31 makes for a Service with the ports 8443 (called "tunnel") and 53/UDP. */
const serviceLinks = (name: string): Record<string, string> => ({
  [`${name}_SERVICE_HOST`]: '10.96.12.34',
  [`${name}_SERVICE_PORT`]: '8443',
  [`${name}_SERVICE_PORT_TUNNEL`]: '8443',
  [`${name}_PORT`]: 'tcp://10.96.12.34:8443',
  [`${name}_PORT_8443_TCP`]: 'tcp://10.96.12.34:8443',
  [`${name}_PORT_8443_TCP_PROTO`]: 'tcp',
  [`${name}_PORT_8443_TCP_PORT`]: '8443',
  [`${name}_PORT_8443_TCP_ADDR`]: '10.96.12.34',
  [`${name}_PORT_53_UDP`]: 'udp://10.96.12.34:53',
  [`${name}_PORT_53_UDP_ADDR`]: '10.96.12.34',
});

test.each(['ADIT', 'ADIT_EGRESS', 'ADIT_EGRESS_2'])('variables of Kubernetes for a Service are silent: %s', (name) => {
  expect(unknownVariables(serviceLinks(name))).toEqual([]);
});

test('a variable that only looks like one of Kubernetes is not silent', () => {
  for (const [name, value] of [
    ['ADIT_PORT', '8443'],
    ['ADIT_PORT_TCP', 'x'],
    ['ADIT_SERVICE_HOSTS', 'x'],
    ['ADITX_PORT_1_TCP_FOO', 'x'],
    ['ADIT_PORT_1_TCP_FOO', 'x'],
  ] as const)
    expect([name, unknownVariables({ [name]: value }).length]).toEqual([name, name.startsWith('ADIT_') ? 1 : 0]);
});

test('a warning is a line of its own, or of the log', () => {
  const lines: string[] = [];
  warnOfVariables({ ADIT_LISTN: '1', ADIT_SERVICE_PORT: '1' }, (line) => lines.push(line));
  expect(lines).toEqual(['adit: the environment variable "ADIT_LISTN" is unknown; did you mean ADIT_LISTEN?\n']);
  const { log, lines: logged } = memoryLog();
  logUnknownVariables({ ADIT_LISTN: '1' }, log);
  expect(logged).toMatchObject([{ level: 'warn', event: 'ignored', variable: 'ADIT_LISTN' }]);
});

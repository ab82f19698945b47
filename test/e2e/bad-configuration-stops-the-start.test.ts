import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { adit, AditProcess, openPolicy } from '../support/adit.ts';
import { egressArguments, sessionArguments, tested } from '../support/arguments.ts';
import { day } from '../support/issuer.ts';
import { certificates } from '../support/certificates.ts';
import { service } from '../support/services.ts';

const files = certificates();
const policy = join(files.folder, 'policy.yaml');
writeFileSync(policy, openPolicy);
const alice = files.client('alice');
const egress = ['egress', ...egressArguments(files, policy)];
const ingress = ['ingress', ...sessionArguments(files, alice), '-L', '127.0.0.1:0:127.0.0.1:1'];
const without = (args: readonly string[], flag: string): string[] => {
  const at = args.indexOf(flag);
  return [...args.slice(0, at), ...args.slice(at + 2)];
};

const file = (name: string, text: string): string => {
  const path = join(files.folder, name);
  writeFileSync(path, text);
  return path;
};

test('a good configuration passes --check, which neither listens nor dials', async () => {
  expect(await adit([...egress, '--check'])).toMatchObject({ code: 0 });
  expect(await adit([...ingress, '--check'])).toMatchObject({ code: 0 });
});

const cases: readonly (readonly [string, () => readonly string[], number, RegExp])[] = [
  ['an egress without a policy', () => without(egress, '--policy'), 2, /--policy/],
  [
    'a policy with an unknown key',
    () => [
      ...without(egress, '--policy'),
      '--policy',
      file('typo.yaml', 'version: 1\nrules:\n  - name: x\n    identities: [alice]\n    alow: ["a:1"]\n'),
    ],
    2,
    /5|alow/,
  ],
  [
    'a policy whose test fails',
    () => [
      ...without(egress, '--policy'),
      '--policy',
      file(
        'test.yaml',
        `${openPolicy.slice(0, -1)},"tests":[{"identity":"bob","destination":"127.0.0.1:1","expect":"allow"}]}`,
      ),
    ],
    2,
    /bob/,
  ],
  ['an unknown flag', () => [...egress, '--polcy', 'x'], 2, /polcy.*--policy|--policy/s],
  [
    'an unknown key in the file',
    () => [...egress, '--config', file('config.yaml', 'drain-timout: 5s\n')],
    2,
    /drain-timeout/,
  ],
  ['a duration that is none', () => [...egress, '--drain-timeout', 'soon'], 2, /soon/],
  ['a port that is none', () => [...without(egress, '--listen'), '--listen', '127.0.0.1:70000'], 2, /70000/],
  ['an ingress without a forward', () => without(ingress, '-L'), 2, /forward/],
  ['a forward that is none', () => [...ingress, '-L', 'nonsense'], 2, /nonsense/],
  ['a leaf in place of the CA', () => [...without(egress, '--client-ca'), '--client-ca', alice.cert], 2, /is not a CA/],
  [
    'a key that others may read',
    () => {
      const key = file('open.key', alice.issued.keyPem);
      chmodSync(key, 0o644);
      return [...without(ingress, '--key'), '--key', key];
    },
    3,
    /chmod 600/,
  ],
  [
    'a server certificate for an ingress',
    () => [...without(without(ingress, '--key'), '--cert'), '--cert', files.egress.cert, '--key', files.egress.key],
    3,
    /not for clients/,
  ],
];
test.each(cases)(
  '%s stops the start and --check, says where, and has its exit status',
  async (_, args, status, words) => {
    for (const all of [args(), [...args(), '--check']])
      expect(await adit(all)).toMatchObject({ code: status, stderr: expect.stringMatching(words) });
  },
);

test('an unknown variable ADIT_... is warned of, with a suggestion, one of a Kubernetes Service not', async () => {
  const service = { ADIT_SERVICE_HOST: '10.0.0.1', ADIT_PORT: 'tcp://10.0.0.1:8443', ADIT_PORT_8443_TCP_PROTO: 'tcp' };
  expect(await adit([...egress, '--check'], { env: { ADIT_DRAIN_TIMOUT: '5s', ...service } })).toMatchObject({
    code: 0,
    stderr: 'adit: the environment variable "ADIT_DRAIN_TIMOUT" is unknown; did you mean ADIT_DRAIN_TIMEOUT?\n',
  });
  const running = new AditProcess([...egress, ...tested], { env: { ADIT_DRAIN_TIMOUT: '5s', ...service } });
  await running.event('listening');
  expect(running.all('ignored')).toMatchObject([{ level: 'warn', variable: 'ADIT_DRAIN_TIMOUT' }]);
});

test('a revocation list that is out of date passes no --check', async () => {
  const old = { thisUpdate: new Date(Date.now() - 2 * day), nextUpdate: new Date(Date.now() - day) };
  const crl = ['--crl', files.revoke(old)];
  for (const half of [egress, ingress])
    expect(await adit([...half, ...crl, '--check'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^adit: The revocation list \S+ is out of date .*adit ca crl.*\[REVOCATION_STALE\]\n$/,
      ),
    });
});

test('an address in use is named', async () => {
  const taken = await service(() => {});
  expect(await adit([...without(egress, '--listen'), '--listen', taken.at])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`Cannot listen on ${taken.at}: another program listens there`),
  });
});

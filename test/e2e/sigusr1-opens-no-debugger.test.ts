import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { connecting, joined } from '../support/adit-connect.ts';
import { startEgress, startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { echo } from '../support/services.ts';

test('both halves say that SIGUSR1 changes nothing, and write no more', async () => {
  const files = certificates();
  const egress = await startEgress({ certificates: files });
  const ingress = await startIngress({ certificates: files, egressPort: egress.port, to: { web: '127.0.0.1:1' } });
  for (const { process } of [egress, ingress]) {
    process.signal('SIGUSR1');
    // The check at the end refuses what Node writes when its debugger listens.
    expect(await process.event('ignored')).toMatchObject({ level: 'info', signal: 'SIGUSR1' });
  }
});

test('so does adit connect, and the connection goes on', async () => {
  const { session, egress } = connecting();
  const connect = joined(['connect', ...session((await egress()).port), '--log-level', 'info', (await echo()).at]);
  connect.child.stdin.write('x');
  await connect.first();
  connect.child.kill('SIGUSR1');
  while (!connect.stderr().includes('"ignored"')) await once(connect.child.stderr, 'data');
  connect.child.stdin.end();
  expect([await connect.ends(), connect.stderr()]).toEqual([0, expect.not.stringContaining('Debugger')]);
});

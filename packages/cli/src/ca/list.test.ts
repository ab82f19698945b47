import { expect, test } from '@jest/globals';
import { initAuthority, openStore } from '@adit/pki';
import { join } from 'node:path';
import { aditCa } from '../../../../test/support/adit-ca.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { listCommand } from './list.ts';

test('it shows name, kind, serial, expiry and state, as a table and as JSON', async () => {
  expect(listCommand().name()).toBe('list');
  const cwd = temporaryFolder();
  await initAuthority(join(cwd, 'ca'), { now: new Date('2025-12-31') });
  expect((await aditCa(['list', '--json'], { cwd })).stdout).toBe('[]\n');
  const store = openStore(join(cwd, 'ca'));
  const old = await store.issueClient({ name: 'old' }, { days: 1, now: new Date('2026-01-01') });
  const alice = await store.issueClient({ name: 'alice', groups: ['dev', 'ops'] });
  const edge = await store.issueEgress({ name: 'edge', hosts: ['a.b'] });
  await store.revoke('alice', { reason: 'keyCompromise' });
  const { stdout } = await aditCa(['list'], { cwd });
  const rows = stdout.split('\n').map((row) => row.split(/ {2,}/));
  expect(rows[0]).toEqual(['NAME', 'KIND', 'SERIAL', 'EXPIRES (UTC)', 'STATE', 'GROUPS OR HOSTS']);
  expect(rows.slice(1).map(([name, kind, serial, , state, names]) => [name, kind, serial, state, names])).toEqual([
    ['old', 'client', old.serial, 'expired', undefined],
    ['alice', 'client', alice.serial, 'revoked (keyCompromise)', 'dev, ops'],
    ['edge', 'egress', edge.serial, 'valid', 'a.b'],
    ['', undefined, undefined, undefined, undefined],
  ]);
  expect(JSON.parse((await aditCa(['list', '--json'], { cwd })).stdout)).toMatchObject([
    { name: 'old', state: 'expired', expiry: '2026-01-02T00:00:00.000Z' },
    {
      name: 'alice',
      kind: 'client',
      serial: alice.serial,
      groups: ['dev', 'ops'],
      state: 'revoked',
      revoked: { reason: 'keyCompromise' },
    },
    { name: 'edge', hosts: ['a.b'], state: 'valid' },
  ]);
});

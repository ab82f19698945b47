import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { builtProgram, openPolicy } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { scenario } from '../support/scenario.ts';
import { eventually, temporaryFolder } from '../support/scope.ts';
import { ask, closedPort, echo } from '../support/services.ts';
import { UserManager, userManagers } from '../support/user-manager.ts';

const files = certificates();
const { cert, key } = files.client('alice');

/** The configurations of both halves, and the port that leads through them to an echo. */
async function configurations(): Promise<{ egress: string; ingress: string; local: number }> {
  const folder = temporaryFolder();
  const [port, local, echoes] = [await closedPort(), await closedPort(), await echo()];
  const egress = join(folder, 'egress.yaml');
  writeFileSync(join(folder, 'policy.yaml'), openPolicy);
  const own = `cert: ${files.egress.cert}\nkey: ${files.egress.key}\nclient-ca: ${files.ca}\n`;
  writeFileSync(egress, `listen: 127.0.0.1:${port}\n${own}policy: policy.yaml\n`);
  const ingress = join(folder, 'ingress.yaml');
  const session = `egress: 127.0.0.1:${port}\ncert: ${cert}\nkey: ${key}\nca: ${files.ca}\n`;
  writeFileSync(ingress, `${session}forward: 127.0.0.1:${local}:${echoes.at}\n`);
  return { egress, ingress, local };
}

scenario(
  'both halves are installed, ready, reloaded and removed by adit service under a real systemd',
  userManagers,
  async () => {
    const { egress, ingress, local } = await configurations();
    const manager = await new UserManager().started();
    const service = (...args: string[]) => manager.run(process.execPath, builtProgram(), 'service', ...args, '--user');

    expect(await service('install', 'egress', '--config', egress)).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('adit-egress.service enabled and started\n'),
    });
    // `enable --now` waited for READY=1: the egress listens.
    expect(await manager.show('adit-egress.service', 'ActiveState', 'Type', 'StatusText')).toEqual({
      ActiveState: 'active',
      Type: 'notify',
      StatusText: 'clients: 0, streams: 0',
    });
    expect(await service('install', 'ingress', '--config', ingress)).toMatchObject({ code: 0 });
    expect(await ask(local, 'through both')).toBe('through both');

    expect(await manager.systemctl('reload', 'adit-egress.service')).toMatchObject({ code: 0, stderr: '' });
    await eventually('the reload', () => /"what":"policy","cause":"SIGHUP"/.test(manager.log('adit-egress.service')));
    await manager.until('adit-egress.service', 'ActiveState', 'active');

    for (const half of ['ingress', 'egress'])
      expect(await service('remove', half)).toMatchObject({ code: 0, stdout: expect.stringContaining('removed') });
    for (const half of ['ingress', 'egress'] as const)
      expect(manager.log(`adit-${half}.service`)).toMatch(/"event":"stopped","status":0,.*\n$/);
  },
);

scenario('an event loop that is held up is ended by the watchdog and started again', userManagers, async () => {
  const { egress } = await configurations();
  const manager = await new UserManager().started();
  const drop = join(manager.home, '.config', 'systemd', 'user', 'adit-egress.service.d');
  mkdirSync(drop, { recursive: true });
  writeFileSync(join(drop, 'watchdog.conf'), '[Service]\nWatchdogSec=2s\nWatchdogSignal=SIGKILL\n');
  expect(
    await manager.run(process.execPath, builtProgram(), 'service', 'install', 'egress', '--user', '--config', egress),
  ).toMatchObject({ code: 0 });
  const { MainPID: first } = await manager.show('adit-egress.service', 'MainPID');

  await manager.run('kill', '-STOP', first!); // what a loop that never turns is for systemd

  await manager.until('adit-egress.service', 'NRestarts', '1');
  await manager.until('adit-egress.service', 'ActiveState', 'active');
  expect((await manager.show('adit-egress.service', 'MainPID'))['MainPID']).not.toBe(first);
});

scenario('a configuration that is wrong installs no unit, and says what is wrong', userManagers, async () => {
  const manager = await new UserManager().started();
  const config = join(temporaryFolder(), 'egress.yaml');
  writeFileSync(config, 'listen: nowhere\n');
  const { code, stderr } = await manager.run(
    process.execPath,
    builtProgram(),
    ...['service', 'install', 'egress', '--user', '--config', config],
  );
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/listen "nowhere".*nothing was installed.*\[SERVICE_FAILED\]\n$/s),
  ]);
  expect((await manager.systemctl('cat', 'adit-egress.service')).code).not.toBe(0);
});

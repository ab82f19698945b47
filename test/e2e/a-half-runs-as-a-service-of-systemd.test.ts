import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { unitText } from '../../packages/cli/src/service/unit.ts';
import { AditProcess, builtProgram, openPolicy } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { converse } from '../support/conversation.ts';
import { blocksOf } from '../support/documented.ts';
import { scenario } from '../support/scenario.ts';
import { atEnd, eventually, temporaryFolder } from '../support/scope.ts';
import { ask, closedPort, echo } from '../support/services.ts';
import { UserManager, userManagers } from '../support/user-manager.ts';

const files = certificates();
const { cert, key } = files.client('alice');

/** The configurations of both halves, and the port that leads through them to an echo. */
async function configurations(folder = temporaryFolder()): Promise<{ egress: string; ingress: string; local: number }> {
  const [port, local, echoes] = [await closedPort(), await closedPort(), await echo()];
  const egress = join(folder, 'egress.yaml');
  writeFileSync(join(folder, 'policy.yaml'), openPolicy);
  for (const [name, path] of Object.entries({
    'edge1.crt': files.egress.cert,
    'edge1.key': files.egress.key,
    'ca.crt': files.ca,
  }))
    copyFileSync(path, join(folder, name));
  const own = 'cert: edge1.crt\nkey: edge1.key\nclient-ca: ca.crt\n';
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

/** A manager with the unit of the machine in it, as a package installs it, and what the ingress needs. */
async function machine(): Promise<{
  manager: UserManager;
  egress: string;
  ingress: string;
  local: number;
  folder: string;
}> {
  const cache = join(import.meta.dirname, '..', '..', 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'unit-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const configured = await configurations(folder);
  const manager = await new UserManager(folder).started();
  const command = [process.execPath, builtProgram()];
  const unit = unitText({ half: 'egress', command, config: configured.egress, scope: 'system', readsHome: true });
  manager.unit('adit-egress.service', unit.replace(/^(?:Wants|After)=.*\n/gm, '').replace('multi-user', 'default'));
  await manager.systemctl('daemon-reload');
  return { ...configured, manager, folder };
}

scenario('the egress serves inside everything that the unit of the machine takes away', userManagers, async () => {
  const { manager, ingress, local } = await machine();

  expect(await manager.systemctl('start', 'adit-egress.service')).toMatchObject({ code: 0 });
  const client = new AditProcess(['ingress', '--config', ingress, '--log-format', 'json']);
  await client.event('connected');
  expect(await ask(local, 'from inside')).toBe('from inside');
  const { MainPID: pid } = await manager.show('adit-egress.service', 'MainPID');
  const inside = (
    await manager.run(
      'nsenter',
      '-t',
      pid!,
      '-m',
      'sh',
      '-c',
      'ls /tmp; ls /proc; touch /etc/adit-test-x && rm /etc/adit-test-x && echo adit-test',
    )
  ).stdout;
  expect(inside.split('\n')).toContain('self');
  expect(inside).not.toMatch(/adit-test|meminfo/);
  const status = (await manager.run('cat', `/proc/${pid}/status`)).stdout;
  expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  expect(status).toMatch(/^Seccomp:\t2$/m);
  expect(status).toMatch(/^CapEff:\t0+$/m);
  expect(await manager.systemctl('reload', 'adit-egress.service')).toMatchObject({ code: 0 });
  await eventually('the reload', () => /"what":"policy","cause":"SIGHUP"/.test(manager.log('adit-egress.service')));
  await client.stop();
  expect(await manager.systemctl('stop', 'adit-egress.service')).toMatchObject({ code: 0 });
  expect(manager.log('adit-egress.service')).toMatch(/"event":"stopped","status":0,.*\n$/);
});

scenario(
  'two instances of the egress take turns on one socket, as the page on upgrading says',
  userManagers,
  async () => {
    const { manager, egress, ingress, local, folder } = await machine();
    const listen = /^listen: (.*)$/m.exec(readFileSync(egress, 'utf8'))![1]!;
    writeFileSync(egress, readFileSync(egress, 'utf8').replace(listen, 'systemd:adit'));
    const socket = `[Socket]\nFileDescriptorName=adit\nListenStream=${listen}\nService=adit-egress@blue.service\n`;
    manager.unit('adit-egress.socket', `${socket}[Install]\nWantedBy=sockets.target\n`);
    await manager.systemctl('daemon-reload');
    const blocks = blocksOf('upgrading.md').filter(({ heading }) => heading.startsWith('Without a gap'));
    const [once, each] = blocks.map(({ text }) =>
      text
        .replaceAll(/^# /gm, '')
        .replaceAll('systemctl', 'systemctl --user')
        .replaceAll('/etc/systemd/system', join(folder, 'units')),
    ) as [string, string];
    const does = async (script: string): Promise<void> => {
      expect(await manager.run('sh', '-e', '-c', script)).toMatchObject({ code: 0 });
    };

    await does(once);
    const client = new AditProcess(['ingress', '--config', ingress, '--log-format', 'json', '--drain-timeout', '1s']);
    await client.event('connected');
    expect(await ask(local, 'by blue')).toBe('by blue');
    const open = await converse(local, 'open at blue');
    const upgrade = does(each);
    await client.event('connected', {}, { nth: 2 });
    expect(await ask(local, 'by green')).toBe('by green');
    await open.echoes('still at blue');
    open.socket.end();
    await upgrade;

    expect(await manager.show('adit-egress@blue.service', 'ActiveState')).toEqual({ ActiveState: 'inactive' });
    expect(await manager.show('adit-egress@green.service', 'ActiveState')).toEqual({ ActiveState: 'active' });
    expect(client.all('refused')).toEqual([]);
  },
);

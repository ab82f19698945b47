import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { openTunnel, type Tunnel } from '../support/adit.ts';
import { succeed } from '../support/child.ts';
import { patternFile } from '../support/pattern.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

const programs = ['sshd', 'ssh', 'ssh-keygen'];
let made: Promise<{ sshd: Sshd; tunnel: Tunnel }> | undefined;
const setUp = () =>
  (made ??= (async () => {
    const sshd = await startSshd();
    return { sshd, tunnel: await openTunnel({ to: { ssh: sshd.at } }) };
  })());

scenario('ssh runs a command, with its input, output and exit status', programs, async () => {
  const { sshd, tunnel } = await setUp();
  const { stdout } = await succeed(
    'ssh',
    [...sshd.options, '-p', String(tunnel.port('ssh')), `${sshd.user}@127.0.0.1`, 'tr a-z A-Z; exit 0'],
    { input: 'through the tunnel' },
  );
  expect(stdout).toBe('THROUGH THE TUNNEL');
});
scenario('scp copies 64 MiB there and back', [...programs, 'scp'], async () => {
  const { sshd, tunnel } = await setUp();
  const folder = temporaryFolder();
  const sha = await patternFile(join(folder, 'one'), 64);
  const remote = (path: string): string => `${sshd.user}@127.0.0.1:${path}`;
  await succeed('scp', [
    ...sshd.options,
    '-P',
    String(tunnel.port('ssh')),
    join(folder, 'one'),
    remote(join(folder, 'two')),
  ]);
  await succeed('scp', [
    ...sshd.options,
    '-P',
    String(tunnel.port('ssh')),
    remote(join(folder, 'two')),
    join(folder, 'three'),
  ]);
  expect(
    createHash('sha256')
      .update(readFileSync(join(folder, 'three')))
      .digest('hex'),
  ).toBe(sha);
});
scenario('git clones and pushes', [...programs, 'git'], async () => {
  const { sshd, tunnel } = await setUp();
  const folder = temporaryFolder();
  const env = {
    GIT_SSH_COMMAND: ['ssh', ...sshd.options].join(' '),
    GIT_CONFIG_NOSYSTEM: '1',
    HOME: folder,
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@example.org',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@example.org',
  };
  const git = (cwd: string, ...args: string[]) => succeed('git', args, { cwd, env });
  const bare = join(folder, 'bare.git');
  await git(folder, 'init', '-q', '--bare', '-b', 'main', bare);
  const work = join(folder, 'work');
  await git(folder, 'clone', '-q', `ssh://${sshd.user}@127.0.0.1:${tunnel.port('ssh')}${bare}`, work);
  mkdirSync(join(work, 'many'));
  for (let index = 0; index < 200; index++)
    writeFileSync(join(work, 'many', `file-${index}`), `content ${index}\n`.repeat(100));
  await git(work, 'checkout', '-q', '-B', 'main');
  await git(work, 'add', '.');
  await git(work, 'commit', '-qm', 'Many files');
  await git(work, 'push', '-q', 'origin', 'main');
  await git(folder, 'clone', '-q', `ssh://${sshd.user}@127.0.0.1:${tunnel.port('ssh')}${bare}`, 'again');
  expect(readFileSync(join(folder, 'again', 'many', 'file-199'), 'utf8')).toBe('content 199\n'.repeat(100));
});

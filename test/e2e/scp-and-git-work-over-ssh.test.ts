import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { openTunnel } from '../support/adit.ts';
import { type Finished, succeed } from '../support/child.ts';
import { commitAndPush, gitAt } from '../support/git.ts';
import { patternFile } from '../support/pattern.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { sha256OfFile } from '../support/sha256.ts';
import { shared } from '../support/shared.ts';
import { startSshd } from '../support/sshd.ts';

const programs = ['sshd', 'ssh', 'ssh-keygen'];
const setUp = shared(async () => {
  const sshd = await startSshd();
  return { sshd, tunnel: await openTunnel({ to: { ssh: sshd.at } }) };
});

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
  const scp = (from: string, to: string): Promise<Finished> =>
    succeed('scp', [...sshd.options, '-P', String(tunnel.port('ssh')), from, to]);

  await scp(join(folder, 'one'), remote(join(folder, 'two')));
  await scp(remote(join(folder, 'two')), join(folder, 'three'));

  expect(await sha256OfFile(join(folder, 'three'))).toBe(sha);
});

scenario('git clones and pushes', [...programs, 'git'], async () => {
  const { sshd, tunnel } = await setUp();
  const folder = temporaryFolder();
  const git = gitAt(folder, { GIT_SSH_COMMAND: ['ssh', ...sshd.options].join(' ') });
  const bare = join(folder, 'bare.git');

  await git(folder, 'init', '-q', '--bare', '-b', 'main', bare);
  const work = join(folder, 'work');
  await git(folder, 'clone', '-q', `ssh://${sshd.user}@127.0.0.1:${tunnel.port('ssh')}${bare}`, work);
  mkdirSync(join(work, 'many'));
  for (let index = 0; index < 200; index++)
    writeFileSync(join(work, 'many', `file-${index}`), `content ${index}\n`.repeat(100));
  await commitAndPush(git, work, 'Many files');
  await git(folder, 'clone', '-q', `ssh://${sshd.user}@127.0.0.1:${tunnel.port('ssh')}${bare}`, 'again');
  expect(readFileSync(join(folder, 'again', 'many', 'file-199'), 'utf8')).toBe('content 199\n'.repeat(100));
});

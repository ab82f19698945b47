/**
 * An OpenSSH server for the user who runs the tests, with keys made for the occasion, and the options its clients need.
 */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Child, type StartOptions, succeed } from './child.ts';
import { find } from './scenario.ts';
import { temporaryFolder } from './scope.ts';
import { closedPort } from './services.ts';

export interface Sshd {
  /** `127.0.0.1:PORT` */
  readonly at: string;
  readonly user: string;
  readonly folder: string;
  /** `-o` options for ssh and scp. */
  readonly options: readonly string[];
}

export async function startSshd(start: StartOptions = {}): Promise<Sshd> {
  const folder = temporaryFolder();
  for (const name of ['host', 'user'])
    await succeed('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]);
  copyFileSync(join(folder, 'user.pub'), join(folder, 'authorized_keys'));
  const port = await closedPort();
  // The privilege separation folder is compiled in; where it does not exist, sshd does not start.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  writeFileSync(
    join(folder, 'sshd_config'),
    `ListenAddress 127.0.0.1:${port}\nHostKey ${folder}/host\nAuthorizedKeysFile ${folder}/authorized_keys\n` +
      'StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nPidFile none\nSubsystem sftp ' +
      'internal-sftp\nMaxStartups 100\n',
  );
  const server = new Child(find('sshd')!, ['-D', '-e', '-f', join(folder, 'sshd_config')], { name: 'sshd', ...start });
  await server.line(/Server listening on/);
  const options = [
    '-F',
    '/dev/null',
    '-i',
    join(folder, 'user'),
    '-o',
    'IdentitiesOnly=yes',
    '-o',
    'BatchMode=yes',
    '-o',
    'StrictHostKeyChecking=no',
    '-o',
    'UserKnownHostsFile=/dev/null',
    '-o',
    'LogLevel=ERROR',
  ];
  return { at: `127.0.0.1:${port}`, user: userInfo().username, folder, options };
}

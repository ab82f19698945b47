import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { succeed } from '../support/child.ts';
import { startGitHttp } from '../support/git-http.ts';
import { openProxies, type LocalProxies } from '../support/local-proxies.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { startSshd, type Sshd } from '../support/sshd.ts';

let made: Promise<LocalProxies> | undefined;
const proxies = () => (made ??= openProxies());
let server: Promise<Sshd> | undefined;
const sshd = () => (server ??= startSshd());

for (const scheme of ['http', 'socks5h'] as const) {
  scenario(`git pushes and clones over http:// through ${scheme}://`, ['git'], async () => {
    const { http, socks } = await proxies();
    const { url, requests } = await startGitHttp();
    const folder = temporaryFolder();
    const env = {
      http_proxy: `${scheme}://127.0.0.1:${scheme === 'http' ? http : socks}`,
      GIT_CONFIG_NOSYSTEM: '1',
      HOME: folder,
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@example.org',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@example.org',
    };
    const git = (cwd: string, ...args: string[]) => succeed('git', args, { cwd, env });
    await git(folder, 'clone', '-q', url, 'work');
    const work = join(folder, 'work');
    // More than http.postBuffer: the push goes in chunks, after a probe.
    writeFileSync(
      join(work, 'large'),
      Buffer.from(Array.from({ length: 3 << 20 }, (_, at) => (at * 7919) ^ (at >> 3))),
    );
    await git(work, 'checkout', '-q', '-B', 'main');
    await git(work, 'add', '.');
    await git(work, 'commit', '-qm', 'A large file');
    await git(work, 'push', '-q', 'origin', 'main');
    await git(folder, 'clone', '-q', url, 'again');
    expect(readFileSync(join(folder, 'again', 'large')).equals(readFileSync(join(work, 'large')))).toBe(true);
    expect(requests).toContain('POST /repository.git/git-receive-pack');
  });
}

const commands: readonly (readonly [string, string, (at: LocalProxies) => string])[] = [
  ['nc -X 5', 'nc', ({ socks }) => `nc -X 5 -x 127.0.0.1:${socks} %h %p`],
  ['nc -X connect', 'nc', ({ http }) => `nc -X connect -x 127.0.0.1:${http} %h %p`],
  ['nc -X 4', 'nc', ({ mixed }) => `nc -X 4 -x 127.0.0.1:${mixed} %h %p`],
  ['socat PROXY', 'socat', ({ mixed }) => `socat - PROXY:127.0.0.1:%h:%p,proxyport=${mixed}`],
  ['socat SOCKS4A', 'socat', ({ mixed }) => `socat - SOCKS4A:127.0.0.1:%h:%p,socksport=${mixed}`],
];
for (const [name, program, command] of commands) {
  scenario(`ssh runs a command with ${name} as ProxyCommand`, ['sshd', 'ssh', 'ssh-keygen', program], async () => {
    const { options, user, at } = await sshd();
    const { stdout } = await succeed(
      'ssh',
      [
        ...options,
        '-o',
        `ProxyCommand=${command(await proxies())}`,
        '-p',
        at.split(':')[1]!,
        `${user}@127.0.0.1`,
        'tr a-z A-Z',
      ],
      { input: 'through the proxy' },
    );
    expect(stdout).toBe('THROUGH THE PROXY');
  });
}

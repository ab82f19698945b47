import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { succeed } from '../support/child.ts';
import { commitAndPush, gitAt } from '../support/git.ts';
import { startGitHttp } from '../support/git-http.ts';
import { openProxies, type LocalProxies } from '../support/local-proxies.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { shared } from '../support/shared.ts';
import { startSshd } from '../support/sshd.ts';

const proxies = shared(() => openProxies());
const sshd = shared(() => startSshd());

for (const scheme of ['http', 'socks5h'] as const) {
  scenario(`git pushes and clones over http:// through ${scheme}://`, ['git'], async () => {
    const { http, socks } = await proxies();
    const { url, requests } = await startGitHttp();
    const folder = temporaryFolder();
    const proxy = `${scheme}://127.0.0.1:${scheme === 'http' ? http : socks}`;
    const git = gitAt(folder, { http_proxy: proxy });

    await git(folder, 'clone', '-q', url, 'work');
    const work = join(folder, 'work');
    // More than http.postBuffer: the push goes in chunks, after a probe.
    writeFileSync(
      join(work, 'large'),
      Buffer.from(Array.from({ length: 3 << 20 }, (_, at) => (at * 7919) ^ (at >> 3))),
    );
    await commitAndPush(git, work, 'A large file');
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

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { blocksOf, runs } from '../support/documented.ts';
import { startGitHttp } from '../support/git-http.ts';
import { openProxies } from '../support/local-proxies.ts';
import { startNginx } from '../support/nginx.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { shared } from '../support/shared.ts';
import { startSshd } from '../support/sshd.ts';

const examples = blocksOf('front-ends.md').filter(({ language }) => language === 'sh');
const underHeading = (heading: string): string[] =>
  examples.filter((block) => block.heading === heading).flatMap(({ text }) => text.trim().split('\n'));

const proxies = shared(() => openProxies());

scenario('every example of the page is one of these', [], async () => {
  expect(examples.map(({ heading }) => heading)).toEqual([
    'SOCKS',
    'SOCKS',
    'SOCKS',
    'HTTP proxy',
    'HTTP proxy',
    'Both on one port',
    'Passwords',
  ]);
  await Promise.resolve();
});

scenario('curl, ssh and git by SOCKS', ['curl', 'nginx', 'ssh', 'sshd', 'nc', 'git'], async () => {
  const [curl, ssh, git] = underHeading('SOCKS') as [string, string, string];
  const { socks } = await proxies();
  const port = { '127.0.0.1:1080': `127.0.0.1:${socks}` };

  expect(await runs(curl, { ...port, 'intranet.example.org': (await startNginx()).http })).toContain(
    'hello from nginx',
  );
  const { at, user, options } = await startSshd();
  expect(
    await runs(ssh, {
      ...port,
      'ssh -o': `ssh ${options.join(' ')} -p ${at.split(':')[1]} -o`,
      'alice@shell.example.org': `${user}@127.0.0.1`,
      uptime: 'echo up',
    }),
  ).toBe('up\n');
  await runs(git, { ...port, 'http://git.example.org/repository.git': (await startGitHttp()).url });
});

scenario('curl by HTTP proxy', ['curl', 'nginx'], async () => {
  const [plain, secure] = underHeading('HTTP proxy') as [string, string];
  const nginx = await startNginx();
  const port = { '127.0.0.1:3128': `127.0.0.1:${(await proxies()).http}` };

  expect(await runs(plain, { ...port, 'intranet.example.org': nginx.http })).toContain(
    'hello from nginx over HTTP/1.1',
  );
  expect(
    await runs(secure, {
      ...port,
      'intranet.example.org': nginx.https.replace('127.0.0.1', 'localhost'),
      'intranet-ca.crt': nginx.ca,
    }),
  ).toContain('hello from nginx over HTTP/2');
});

scenario('curl by both on one port, and with a password', ['curl', 'nginx'], async () => {
  const nginx = await startNginx();

  for (const line of underHeading('Both on one port'))
    expect(
      await runs(line, {
        '127.0.0.1:1080': `127.0.0.1:${(await proxies()).mixed}`,
        'intranet.example.org': nginx.http,
      }),
    ).toContain('hello from nginx');
  const users = join(temporaryFolder(), 'users');
  writeFileSync(users, 'alice:correct horse\n', { mode: 0o600 });
  const guarded = await openProxies({ flags: ['--socks-auth-file', users, '--http-proxy-auth-file', users] });
  for (const line of underHeading('Passwords'))
    expect(
      await runs(line, { '127.0.0.1:1080': `127.0.0.1:${guarded.mixed}`, 'intranet.example.org': nginx.http }),
    ).toContain('hello from nginx');
});

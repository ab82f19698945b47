import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { run, type Finished } from '../support/child.ts';
import { openProxies } from '../support/local-proxies.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { service } from '../support/services.ts';

scenario('the right one is let through, a wrong one and none are not, and SOCKS4 has none', ['curl'], async () => {
  const users = join(temporaryFolder(), 'users');
  writeFileSync(users, 'alice:s3cret word\n', { mode: 0o600 });
  const proxies = await openProxies({ flags: ['--socks-auth-file', users, '--http-proxy-auth-file', users] });
  const web = await service((socket) => {
    socket.once('data', () => {
      socket.end('HTTP/1.0 200 OK\r\n\r\nserved');
    });
  });
  const curl = (...args: string[]): Promise<Finished> =>
    run('curl', ['-sS', '--max-time', '60', ...args, `http://${web.at}/`]);

  for (const port of [proxies.socks, proxies.mixed]) {
    const ask = ['--socks5-hostname', `127.0.0.1:${port}`];
    expect(await curl(...ask, '--proxy-user', 'alice:s3cret word')).toMatchObject({ code: 0, stdout: 'served' });
    expect(await curl(...ask, '--proxy-user', 'alice:wrong')).toMatchObject({
      code: 97,
      stderr: expect.stringMatching(/authenticat|rejected/i),
    });
    expect(await curl(...ask)).toMatchObject({ code: 97 });
    expect(await curl('--socks4a', `127.0.0.1:${port}`)).toMatchObject({ code: 97 });
  }
  for (const port of [proxies.http, proxies.mixed]) {
    for (const tunnel of [[], ['--proxytunnel']]) {
      const ask = ['-i', '-x', `http://127.0.0.1:${port}`, ...tunnel];
      expect(await curl(...ask, '--proxy-user', 'alice:s3cret word')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('served'),
      });
      for (const wrong of [['--proxy-user', 'alice:wrong'], []])
        expect((await curl(...ask, ...wrong)).stdout).toMatch(/^HTTP\/1\.1 407 Proxy Authentication Required\r\n/);
    }
  }

  expect(JSON.stringify(proxies.ingress.process.log)).not.toMatch(/s3cret|wrong:/);
});

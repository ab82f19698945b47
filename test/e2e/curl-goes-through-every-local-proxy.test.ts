import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { run, succeed, type Finished } from '../support/child.ts';
import { openProxies } from '../support/local-proxies.ts';
import { longPattern } from '../support/long-pattern.ts';
import { startNginx } from '../support/nginx.ts';
import { patternFile } from '../support/pattern.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { sha256OfFile } from '../support/sha256.ts';
import { shared } from '../support/shared.ts';
import { closedPort } from '../support/services.ts';

const programs = ['curl', 'nginx'];
const setUp = shared(async () => ({ nginx: await startNginx(), proxies: await openProxies() }));

/** Each way that curl has to ask a proxy, by the port that takes it. */
const ways = {
  'SOCKS5, resolved by curl': (port: number) => ['--socks5', `127.0.0.1:${port}`],
  'SOCKS5, resolved by the egress': (port: number) => ['--socks5-hostname', `127.0.0.1:${port}`],
  SOCKS4: (port: number) => ['--ipv4', '--socks4', `127.0.0.1:${port}`],
  SOCKS4a: (port: number) => ['--socks4a', `127.0.0.1:${port}`],
  'an HTTP proxy': (port: number) => ['-x', `http://127.0.0.1:${port}`],
  'an HTTP proxy, by CONNECT': (port: number) => ['-x', `http://127.0.0.1:${port}`, '--proxytunnel'],
};

const isHttp = (way: string): boolean => way.startsWith('an HTTP');
const curl = (...args: string[]): Promise<Finished> => run('curl', ['-sS', '--max-time', '60', ...args]);

for (const [way, flags] of Object.entries(ways)) {
  scenario(`${way}: http:// and https://, on its own port and on the one for all`, programs, async () => {
    const { nginx, proxies } = await setUp();

    for (const port of [isHttp(way) ? proxies.http : proxies.socks, proxies.mixed]) {
      const plain = await curl(...flags(port), `http://localhost:${nginx.http.split(':')[1]}/hello`);
      expect(plain).toMatchObject({ code: 0, stdout: expect.stringMatching(/^hello from nginx over HTTP\/1\.1/) });
      const secure = await curl(
        ...flags(port),
        '--cacert',
        nginx.ca,
        `https://localhost:${nginx.https.split(':')[1]}/hello`,
      );
      expect(secure).toMatchObject({ code: 0, stdout: expect.stringMatching(/^hello from nginx over HTTP\/2/) });
    }
  });
}

scenario('64 MiB arrive whole, both ways, through each of them', programs, async () => {
  const { nginx, proxies } = await setUp();
  const folder = temporaryFolder();
  const sha = await patternFile(join(nginx.files, 'pattern'), 64);

  for (const flags of [
    ['--socks5-hostname', `127.0.0.1:${proxies.socks}`],
    ['-x', `http://127.0.0.1:${proxies.http}`],
    ['-p', '-x', `http://127.0.0.1:${proxies.http}`],
  ]) {
    const file = join(folder, 'back');
    expect(await curl(...flags, '-o', file, `http://${nginx.http}/pattern`)).toMatchObject({ code: 0 });
    expect(await sha256OfFile(file)).toBe(sha);
    expect(await curl(...flags, '-f', '-T', file, `http://${nginx.http}/uploads/up`)).toMatchObject({ code: 0 });
    expect(await sha256OfFile(join(nginx.uploads, 'up'))).toBe(sha);
    writeFileSync(join(nginx.uploads, 'up'), '');
  }
});

scenario('one curl asks two hosts, one after the other, and in parallel', programs, async () => {
  const { nginx, proxies } = await setUp();
  const urls = [
    `http://${nginx.http}/hello`,
    `http://localhost:${nginx.http.split(':')[1]}/hello`,
    `http://${nginx.http}/hello`,
  ];

  for (const more of [[], ['-Z']]) {
    const { stdout } = await succeed('curl', ['-sS', ...more, '-x', `http://127.0.0.1:${proxies.http}`, ...urls]);
    expect(stdout.match(/hello from nginx/g)).toHaveLength(3);
  }
});

scenario('a denied destination and a missing one are reported in the words of each protocol', programs, async () => {
  const { proxies } = await setUp();
  const closed = await closedPort();

  for (const port of [proxies.socks, proxies.mixed]) {
    expect(await curl('--socks5-hostname', `127.0.0.1:${port}`, 'http://denied.example/')).toMatchObject({
      code: 97,
      stderr: expect.stringContaining('(2)'),
    });
    expect(await curl('--socks5-hostname', `127.0.0.1:${port}`, `http://127.0.0.1:${closed}/`)).toMatchObject({
      code: 97,
      stderr: expect.stringContaining('(5)'),
    });
    expect(await curl('--socks4a', `127.0.0.1:${port}`, 'http://denied.example/')).toMatchObject({
      code: 97,
      stderr: expect.stringContaining('(91)'),
    });
  }
  for (const port of [proxies.http, proxies.mixed]) {
    const denied = await curl('-i', '-x', `http://127.0.0.1:${port}`, 'http://denied.example/');
    expect(denied.stdout).toMatch(
      longPattern(
        /^HTTP\/1\.1 403 Forbidden\r\nProxy-Status: adit; error=http_request_denied; details="[^]*/,
        /adit-code=POLICY_DENIED\r\n[^]*\r\n\r\nPOLICY_DENIED: .*\nAsk the owner of the egress/,
      ),
    );
    expect(await curl('-x', `http://127.0.0.1:${port}`, 'https://denied.example/')).toMatchObject({
      code: 56,
      stderr: expect.stringContaining('403'),
    });
    expect((await curl('-i', '-x', `http://127.0.0.1:${port}`, `http://127.0.0.1:${closed}/`)).stdout).toMatch(
      /^HTTP\/1\.1 502 Bad Gateway\r\nProxy-Status: adit; error=connection_refused; /,
    );
  }
});

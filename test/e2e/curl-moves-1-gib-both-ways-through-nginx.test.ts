import { join } from 'node:path';
import { expect } from '@jest/globals';
import { openTunnel } from '../support/adit.ts';
import { succeed } from '../support/child.ts';
import { http2At } from '../support/curl.ts';
import { startNginx } from '../support/nginx.ts';
import { patternFile } from '../support/pattern.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { sha256OfFile } from '../support/sha256.ts';
import { shared } from '../support/shared.ts';

const setUp = shared(async () => {
  const nginx = await startNginx();
  const big = join(nginx.files, 'big');
  const sha = await patternFile(big, 1024);
  return { nginx, sha, big, tunnel: await openTunnel({ to: { http: nginx.http, https: nginx.https } }) };
});

const curl = async (...args: string[]): Promise<string> =>
  (await succeed('curl', ['-sS', '--fail', '--max-time', '240', ...args], { timeoutMs: 250_000 })).stdout;
const programs = ['nginx', 'curl'];

scenario(
  'HTTP/1.1: a small answer, and two requests on one connection',
  programs,
  async () => {
    const { tunnel } = await setUp();
    const url = `http://127.0.0.1:${tunnel.port('http')}/hello`;

    expect(await curl(url)).toBe('hello from nginx over HTTP/1.1\n');
    expect(await curl('-w', '%{num_connects} ', url, url)).toBe(
      'hello from nginx over HTTP/1.1\n1 hello from nginx over HTTP/1.1\n0 ',
    );
  },
  300_000,
);

scenario(
  'HTTP/2 over the TLS of the client passes through untouched',
  programs,
  async () => {
    const { nginx, tunnel } = await setUp();
    const http2 = http2At(tunnel.port('https'), nginx.ca);
    const url = 'https://localhost/hello';

    expect(await curl(...http2, url)).toBe('hello from nginx over HTTP/2.0\n');
    const parallel = await curl('--parallel', ...http2, ...Array<string>(20).fill(url));
    expect(parallel).toBe('hello from nginx over HTTP/2.0\n'.repeat(20));
  },
  300_000,
);

scenario(
  '1 GiB comes down with its SHA-256',
  programs,
  async () => {
    const { tunnel, sha } = await setUp();
    const target = join(temporaryFolder(), 'down');

    await curl('-o', target, `http://127.0.0.1:${tunnel.port('http')}/big`);

    expect(await sha256OfFile(target)).toBe(sha);
    expect(await tunnel.egress.process.event('stream', (line) => Number(line['bytesDown']) > 1024 ** 3)).toMatchObject({
      end: 'finished',
      verdict: 'allow',
      rule: 'the-rule',
    });
  },
  300_000,
);

scenario(
  '1 GiB goes up with its SHA-256',
  programs,
  async () => {
    const { nginx, tunnel, big, sha } = await setUp();

    await curl('-T', big, '-H', 'Expect:', `http://127.0.0.1:${tunnel.port('http')}/uploads/up`);

    expect(await sha256OfFile(join(nginx.uploads, 'up'))).toBe(sha);
    expect(await tunnel.egress.process.event('stream', (line) => Number(line['bytesUp']) > 1024 ** 3)).toMatchObject({
      end: 'finished',
    });
  },
  300_000,
);

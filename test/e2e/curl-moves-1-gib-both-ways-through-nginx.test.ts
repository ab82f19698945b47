import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { expect } from '@jest/globals';
import { type Tunnel, openTunnel } from '../support/adit.ts';
import { succeed } from '../support/child.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { patternFile } from '../support/pattern.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';

let made: Promise<{ nginx: Nginx; tunnel: Tunnel; sha: string; big: string }> | undefined;
const setUp = () =>
  (made ??= (async () => {
    const nginx = await startNginx();
    const big = join(nginx.files, 'big');
    const sha = await patternFile(big, 1024);
    return { nginx, sha, big, tunnel: await openTunnel({ to: { http: nginx.http, https: nginx.https } }) };
  })());
async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
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
  'HTTP/2 over the TLS of the client, which passes through untouched',
  programs,
  async () => {
    const { nginx, tunnel } = await setUp();
    const port = tunnel.port('https');
    expect(
      await curl(
        '--http2',
        '--cacert',
        nginx.ca,
        '--connect-to',
        `localhost:443:127.0.0.1:${port}`,
        'https://localhost/hello',
      ),
    ).toBe('hello from nginx over HTTP/2.0\n');
    const parallel = await curl(
      '--http2',
      '--parallel',
      '--cacert',
      nginx.ca,
      '--connect-to',
      `localhost:443:127.0.0.1:${port}`,
      ...Array.from({ length: 20 }, () => 'https://localhost/hello'),
    );
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
    expect(await hashOf(target)).toBe(sha);
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
    expect(await hashOf(join(nginx.uploads, 'up'))).toBe(sha);
    expect(await tunnel.egress.process.event('stream', (line) => Number(line['bytesUp']) > 1024 ** 3)).toMatchObject({
      end: 'finished',
    });
  },
  300_000,
);

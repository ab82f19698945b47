import { once } from 'node:events';
import { connect as http2Connect } from 'node:http2';
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { expect } from '@jest/globals';
import { startEgress, startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { chaos } from '../support/chaos.ts';
import { Child, succeed } from '../support/child.ts';
import { startNginx } from '../support/nginx.ts';
import { patternFile } from '../support/pattern.ts';
import { startPostgres } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { startSshd } from '../support/sshd.ts';

const portOf = (at: string): string => at.slice(at.lastIndexOf(':') + 1);

scenario('psql in a transaction, a running ssh command, redis pub/sub, a download and HTTP/2 live through three kills and a silent stall', ['psql', 'redis-cli', 'ssh', 'curl', 'nginx'], async () => {
  const files = certificates();
  const [postgres, redis, sshd, nginx] = await Promise.all([startPostgres(), startRedis(), startSshd(), startNginx()]);
  const hash = await patternFile(join(nginx.files, 'big'), 200);
  const egress = await startEgress({ certificates: files });
  const network = await chaos(egress.port);
  const ingress = await startIngress({ certificates: files, egressPort: network.port, to: { postgres: postgres.at, redis, ssh: sshd.at, http: nginx.http, https: nginx.https } });
  const port = (name: string): string => String(ingress.ports[name]);
  const sleep = 'select pg_sleep(1.5)';
  const psql = succeed('psql', ['-h', '127.0.0.1', '-p', port('postgres'), '-U', postgres.user, '-d', 'postgres', '-Atqc', `begin; create table t(n int); insert into t select generate_series(1, 1000); ${Array.from({ length: 12 }, () => sleep).join('; ')}; insert into t values (1001); commit; select count(*), sum(n) from t`], { timeoutMs: 90_000 });
  const ssh = succeed('ssh', [...sshd.options, '-p', port('ssh'), `${sshd.user}@127.0.0.1`, 'for n in $(seq 1 40); do echo $n; sleep 0.5; done'], { timeoutMs: 90_000 });
  const subscriber = new Child('redis-cli', ['-p', port('redis'), 'subscribe', 'news']);
  await subscriber.line(/^1$/);
  const target = join(temporaryFolder(), 'big');
  const curl = succeed('curl', ['-sS', '--fail', '--limit-rate', '12M', '-o', target, `http://127.0.0.1:${port('http')}/big`], { timeoutMs: 90_000 });
  const session = http2Connect(`https://localhost:${port('https')}`, { ca: readFileSync(nginx.ca) });
  const ask = async (): Promise<string> => {
    const request = session.request({ ':path': '/hello' });
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => { body += text; });
    await once(request, 'end');
    return body;
  };
  expect(await ask()).toContain('HTTP/2.0');
  for (let kill = 1; kill <= 3; kill++) {
    network.cut();
    await ingress.process.event('connected', { resumed: true }, { nth: kill });
    expect(await ask()).toContain('HTTP/2.0');
  }
  network.stall(); // the path says nothing more; the ingress has to notice by itself: 10 s of silence or data that is not answered, then 3 s
  const stalled = ask();
  await ingress.process.event('connected', { resumed: true }, { nth: 4, ms: 40_000 });
  expect(await stalled).toContain('HTTP/2.0');
  expect(await succeed('redis-cli', ['-p', portOf(redis), 'publish', 'news', 'still here'])).toMatchObject({ stdout: '1\n' });
  await subscriber.line(/still here/);
  expect((await psql).stdout.trim().split('\n').at(-1)).toBe('1001|501501');
  expect((await ssh).stdout.trim().split('\n')).toEqual(Array.from({ length: 40 }, (_, n) => String(n + 1)));
  await curl;
  const got = createHash('sha256');
  await pipeline(createReadStream(target), got);
  expect(got.digest('hex')).toBe(hash);
  session.close();
}, 120_000);

import { once } from 'node:events';
import { connect as http2Connect } from 'node:http2';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { Child, succeed } from '../support/child.ts';
import { openCuttableTunnel } from '../support/cuttable-tunnel.ts';
import { startNginx } from '../support/nginx.ts';
import { patternFile } from '../support/pattern.ts';
import { psqlAt, startPostgres } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { sha256OfFile } from '../support/sha256.ts';
import { startSshd } from '../support/sshd.ts';

/** How long the network says nothing. The ingress asks after 10 s and waits 3 s for the answer. */
const stallMs = process.env['FULL'] === '1' ? 30_000 : 15_000;
const portOf = (at: string): string => at.slice(at.lastIndexOf(':') + 1);

scenario(
  'psql in a transaction, a running ssh command, redis pub/sub, a download and HTTP/2 survive three kills and a ' +
    'silent stall',
  ['psql', 'redis-cli', 'ssh', 'curl', 'nginx'],
  async () => {
    const [postgres, redis, sshd, nginx] = await Promise.all([
      startPostgres(),
      startRedis(),
      startSshd(),
      startNginx(),
    ]);
    const hash = await patternFile(join(nginx.files, 'big'), 160);
    const { ingress, network } = await openCuttableTunnel({
      to: { postgres: postgres.at, redis, ssh: sshd.at, http: nginx.http, https: nginx.https },
    });
    const port = (name: string): string => String(ingress.ports[name]);
    const steps = Array.from({ length: 12 }, (_, n) => `insert into t values (${1_001 + n}); select pg_sleep(0.8);`);
    const psql = succeed('psql', [...psqlAt(port('postgres'), postgres.user), '-Atq'], {
      input: [
        'begin;',
        'create table t(n int);',
        'insert into t select generate_series(1, 1000);',
        ...steps,
        'commit;',
        'select count(*), sum(n), count(distinct xmin::text) from t;',
      ].join('\n'),
      timeoutMs: 240_000,
    });
    const ssh = new Child('ssh', [
      ...sshd.options,
      '-p',
      port('ssh'),
      `${sshd.user}@127.0.0.1`,
      'for n in $(seq 1 40); do echo $n; sleep 0.5; done',
    ]);
    const subscriber = new Child('redis-cli', ['-p', port('redis'), 'subscribe', 'news']);

    await subscriber.line(/^1$/);
    const publish = async (text: string): Promise<void> => {
      expect(await succeed('redis-cli', ['-p', portOf(redis), 'publish', 'news', text])).toMatchObject({
        stdout: '1\n',
      });
    };
    const target = join(temporaryFolder(), 'big');
    const curl = succeed(
      'curl',
      ['-sS', '--fail', '--limit-rate', '12M', '-o', target, `http://127.0.0.1:${port('http')}/big`],
      { timeoutMs: 240_000 },
    );
    const session = http2Connect(`https://localhost:${port('https')}`, { ca: readFileSync(nginx.ca) });
    const ask = async (): Promise<string> => {
      const request = session.request({ ':path': '/hello' });
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      await once(request, 'end');
      return body;
    };
    expect(await ask()).toContain('HTTP/2.0');
    for (let kill = 1; kill <= 3; kill++) {
      await ssh.line(new RegExp(`^${3 * kill}$`));
      network.cut(kill === 2 ? 'end' : 'reset');
      await publish(`cut ${kill}`);
      expect(await ask()).toContain('HTTP/2.0');
      await ingress.process.event('connected', { resumed: true }, { nth: kill });
    }
    // The path falls silent, also for new connections. The ingress notices by itself, the egress not at all.
    network.stall('all');
    const asked = ask();
    await publish('sent into the silence');
    await Promise.all([delay(stallMs), ingress.process.event('detached', { reason: /PING/ }, { ms: 60_000 })]);
    network.flow();
    expect(await asked).toContain('HTTP/2.0');
    await ingress.process.event('connected', { resumed: true }, { nth: 4 });
    await publish('the last');
    await subscriber.line(/the last/);
    expect(subscriber.lines.filter((line) => /^(cut|sent|the)/.test(line))).toEqual([
      'cut 1',
      'cut 2',
      'cut 3',
      'sent into the silence',
      'the last',
    ]);
    expect((await psql).stdout.trim()).toBe('1012|512578|1');
    expect((await ssh.exit).code).toBe(0);
    expect(ssh.lines).toEqual(Array.from({ length: 40 }, (_, n) => String(n + 1)));
    await curl;
    expect(await sha256OfFile(target)).toBe(hash);
    session.close();
    expect(ingress.process.all('connected').filter(({ resumed }) => resumed !== true)).toHaveLength(1);
  },
  300_000,
);

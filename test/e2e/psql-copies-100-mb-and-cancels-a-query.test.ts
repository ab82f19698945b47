import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { openTunnel } from '../support/adit.ts';
import { Child, succeed } from '../support/child.ts';
import { postgresPrograms, psqlAt, startPostgres } from '../support/postgres.ts';
import { scenario } from '../support/scenario.ts';
import { sha256OfFile } from '../support/sha256.ts';
import { shared } from '../support/shared.ts';
import { temporaryFolder, within } from '../support/scope.ts';

const programs = postgresPrograms() === undefined ? ['initdb', 'psql'] : ['psql'];
const setUp = shared(async () => {
  const { at, user } = await startPostgres();
  const tunnel = await openTunnel({ to: { db: at } });
  return { tunnel, connection: psqlAt(tunnel.port('db'), user) };
});

const psql = async (...args: string[]): Promise<string> =>
  (await succeed('psql', [...(await setUp()).connection, ...args])).stdout;

scenario('a query is answered', programs, async () => {
  expect(await psql('-Atc', 'select 6 * 7')).toBe('42\n');
});

scenario('COPY moves 100 MB in and out, and they are the same', programs, async () => {
  const folder = temporaryFolder();
  const [up, down] = [join(folder, 'up.tsv'), join(folder, 'down.tsv')];
  // A million rows of about a hundred bytes, each different.
  const filler = 'abcdefghijklmnopqrstuvwxyz0123456789'.repeat(3).slice(0, 92);
  writeFileSync(
    up,
    Array.from({ length: 1_000_000 }, (_, row) => `${row}\t${filler}`)
      .join('\n')
      .concat('\n'),
  );

  await psql('-c', 'create unlogged table rows (id int, filler text)', '-c', `\\copy rows from '${up}'`);

  expect(await psql('-Atc', 'select count(*), sum(id::bigint) from rows')).toBe('1000000|499999500000\n');
  await psql('-c', `\\copy rows to '${down}'`);
  expect(await sha256OfFile(down)).toBe(await sha256OfFile(up));
});

scenario('a running query is cancelled, which takes a second connection', programs, async () => {
  const { connection } = await setUp();
  const client = new Child('psql', [...connection, '-c', 'select pg_backend_pid()', '-c', 'select pg_sleep(60)']);

  await client.line(/\(1 row\)/);
  await within(60_000, 'the query to run', untilActive());
  client.signal('SIGINT');
  await client.line(/canceling statement due to user request/);

  expect((await client.exit).code).not.toBe(0);
});

scenario('the server notices a client that is killed', programs, async () => {
  const { connection, tunnel } = await setUp();
  const client = new Child('psql', [
    ...connection,
    '-c',
    'select 1',
    '-c',
    'select count(*) from generate_series(1, 5000000) a, generate_series(1, 100) b where pg_sleep(0.01) is not null',
  ]);

  await client.line(/\(1 row\)/);
  const asked = Date.now();
  await client.kill();
  // Only this connection ends now and brought so little.
  await tunnel.egress.process.event(
    'stream',
    (line) => Date.parse(String(line['time'])) >= asked && Number(line['bytesDown']) < 10_000,
  );
});

/** Resolves when the sleeping query shows in the server's own list: asked again each time the answer is no. */
async function untilActive(): Promise<void> {
  while (
    (
      await psql(
        '-Atc',
        "select count(*) from pg_stat_activity where state = 'active' and query = 'select pg_sleep(60)'",
      )
    ).trim() === '0'
  );
}

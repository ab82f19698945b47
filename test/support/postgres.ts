/**
 * A fresh PostgreSQL in a temporary folder, which trusts every client on 127.0.0.1.
 * Rule: it refuses to run as root, so that root runs it as `postgres` or `nobody`.
 */
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Child, succeed } from './child.ts';
import { find } from './scenario.ts';
import { temporaryFolder } from './scope.ts';
import { closedPort } from './services.ts';

const versions = '/usr/lib/postgresql';

/** The folder of its programs, or undefined. */
export function postgresPrograms(): string | undefined {
  const folders = existsSync(versions) ? readdirSync(versions).map((version) => join(versions, version, 'bin')) : [];
  return (
    folders.find((folder) => existsSync(join(folder, 'initdb'))) ??
    (find('initdb') === undefined ? undefined : join(find('initdb')!, '..'))
  );
}

export interface Postgres {
  readonly port: number;
  /** `127.0.0.1:PORT` */
  readonly at: string;
  readonly user: string;
}

export async function startPostgres(): Promise<Postgres> {
  const programs = postgresPrograms()!;
  const folder = temporaryFolder();
  const owner: { readonly uid?: number; readonly gid?: number } = process.getuid?.() === 0 ? unprivileged() : {};
  const data = join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  chmodSync(folder, 0o755);
  if (owner.uid !== undefined && owner.gid !== undefined) {
    chownSync(data, owner.uid, owner.gid);
    chownSync(folder, owner.uid, owner.gid);
  }
  await succeed(
    join(programs, 'initdb'),
    ['-D', data, '-U', 'tester', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C'],
    { ...owner, cwd: folder, env: { HOME: folder, LC_ALL: 'C' } },
  );
  const port = await closedPort();
  const server = new Child(
    join(programs, 'postgres'),
    [
      '-D',
      data,
      '-h',
      '127.0.0.1',
      '-p',
      String(port),
      '-k',
      folder,
      '-F',
      '-c',
      'log_min_messages=log',
      '-c',
      'max_wal_size=1GB',
      '-c',
      'client_connection_check_interval=100ms',
    ],
    { ...owner, cwd: folder, name: 'postgres', env: { LC_ALL: 'C' }, stopSignal: 'SIGQUIT' },
  );
  await server.line(/ready to accept connections/, 30_000);
  return { port, at: `127.0.0.1:${port}`, user: 'tester' };
}

/** Arguments of psql for a server at a port of 127.0.0.1: no start-up file is read, and it stops at the first error. */
export function psqlAt(port: number | string, user: string): string[] {
  const at = ['-h', '127.0.0.1', '-p', String(port), '-U', user, '-d', 'postgres'];
  return ['-X', ...at, '-v', 'ON_ERROR_STOP=1'];
}

function unprivileged(): { readonly uid: number; readonly gid: number } {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const [, , uid = '65534', gid = '65534'] = users.find(([name]) => name === 'postgres') ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

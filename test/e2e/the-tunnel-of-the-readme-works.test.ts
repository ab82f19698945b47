/**
 * The README's first tunnel as a reader would type it: three shells that begin in a clone, with an empty home.
 * Not here: the build, which made what this test runs.
 */
import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { Child, run, succeed, type StartOptions } from '../support/child.ts';
import { adapted, stepsOfReadme } from '../support/documented.ts';
import { postgresPrograms, startPostgres } from '../support/postgres.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { closedPort } from '../support/services.ts';
import { shared } from '../support/shared.ts';

const root = join(import.meta.dirname, '..', '..');
/** What the build made, which stands in for the whole clone. */
const built = ['node_modules', 'packages'];
const needs = ['curl', 'python3', ...(postgresPrograms() === undefined ? ['initdb', 'psql'] : ['psql'])];
const [, build, identities, policy, egress, ingress, use, later] = stepsOfReadme();
const [[, prefix], [web, requests]] = [build!, use!] as [[string, string], [string, string]];

/** A clone and a home, as they are after step 1, and the ports that this test has in place of the README's. */
const machine = shared(async () => {
  const [clone, home] = [temporaryFolder(), temporaryFolder()];
  for (const name of built) symlinkSync(join(root, name), join(clone, name));
  const made = build![0]!.split('\n').filter((line) => line.startsWith('mkdir '));
  await succeed('sh', ['-ec', made.join('\n')], { cwd: clone, env: { HOME: home } });
  const database = await startPostgres();
  const port = async (): Promise<string> => String(await closedPort());
  const ports = { egress: await port(), web: await port(), forward: await port(), database: await port() };
  return { clone, home, ports, database };
});

/** How a shell of the reader starts: in the clone, with nothing but what the README exports. */
async function terminal(env: Readonly<Record<string, string>> = {}): Promise<StartOptions> {
  const { clone, home } = await machine();
  return { cwd: clone, env: { HOME: home, PYTHONUNBUFFERED: '1', ...env } };
}

/** Types a block of the README into a new terminal, to its end. */
const types = async (block: string): Promise<string> =>
  (await succeed('sh', ['-ec', `${prefix}${block}`], await terminal())).stdout;

/** Types a command that keeps its terminal. */
async function keeps(command: string, env: Readonly<Record<string, string>> = {}): Promise<Child> {
  return new Child('sh', ['-ec', `${prefix}exec ${command}`], { ...(await terminal(env)), name: command.trim() });
}

/** What the README's tunnel is when step 6 is over. */
const tunnel = shared(async () => {
  const { home, ports, database } = await machine();
  await types(identities![0]!);
  writeFileSync(
    join(home, 'adit-tunnel', 'policy.yaml'),
    adapted(policy![0]!, { ':8000': `:${ports.web}`, ':5432': `:${database.port}` }),
  );
  const far = await keeps(egress![0]!, { ADIT_LISTEN: `127.0.0.1:${ports.egress}` });
  await far.line(/listening/);
  const near = await keeps(
    adapted(ingress![0]!, {
      '127.0.0.1:8443': `127.0.0.1:${ports.egress}`,
      '8080:': `${ports.forward}:`,
      '5433:127.0.0.1:5432': `${ports.database}:${database.at}`,
    }),
  );
  await near.line(/"event":"connected"/);
  const [make, serve] = adapted(web, { ' 8000 ': ` ${ports.web} `, ' &\n': '\n' }).split(/(?=python3)/);
  await types(make!);
  await (await keeps(serve!)).line(/Serving HTTP/);
  return { home: join(home, 'adit-tunnel'), near, ports, database };
});

scenario('the policy is told and explained as the README says', needs, async () => {
  const { home } = await machine();
  mkdirSync(join(home, 'asked'));
  writeFileSync(join(home, 'asked', 'policy.yaml'), policy![0]!);

  for (const [, command, answer] of policy![1]!.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm))
    expect([command, (await run('sh', ['-c', `${prefix}cd ../asked\n${command}`], await terminal())).stdout]).toEqual([
      command,
      answer,
    ]);
});

scenario('the web server and the database answer through the tunnel', needs, async () => {
  const { ports, database } = await tunnel();
  const typed = adapted(requests, {
    ':8080': `:${ports.forward}`,
    '5433 -U postgres': `${ports.database} -U ${database.user} -d postgres -X`,
  });

  expect(await types(typed)).toMatch(/^hello through the tunnel\n[^]*\(1 row\)/);
});

scenario('no request to the folder that is served returns a key', needs, async () => {
  const { home, ports } = await tunnel();
  const files = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(home, name)).isFile(),
  );
  expect(files).toEqual(expect.arrayContaining(['ca/ca.key', 'edge1.key', 'alice.key', 'site/index.html']));

  for (const name of files)
    for (const path of [`/${name}`, `/../${name}`, `/%2e%2e/${name}`, `//../${name}`, `/..%2f${name}`, `/site/${name}`])
      expect({ path, ...(await get(ports.forward, path)) }).toMatchObject({ path, status: 404 });
  expect(await get(ports.forward, '/')).toEqual({ status: 200, body: 'hello through the tunnel\n' });
});

scenario('the clone holds nothing that it did not hold before', needs, async () => {
  await tunnel();
  expect(readdirSync((await machine()).clone)).toEqual(built);
});

scenario('the revocation list is good for as long as the CA', needs, async () => {
  await tunnel();
  const [list, ca] = [await types('adit ca show ca/crl.pem'), await types('adit ca show ca.crt')];
  const dateAfter = (word: string, text: string): number => Date.parse(new RegExp(`${word} +(\\S+)`).exec(text)![1]!);

  expect(dateAfter('next due', list)).toBeGreaterThanOrEqual(dateAfter('valid until', ca));
});

scenario('a renewal leaves the session open, and a revocation ends it', needs, async () => {
  const { near } = await tunnel();
  const [renew, revoke] = later![0]!.trim().split('\n') as [string, string];

  await types(renew);
  await near.line(/"event":"reloaded"/);
  expect(near.running).toBe(true);
  await types(revoke);
  expect(await near.exit).toMatchObject({ code: 4 });
});

/** The answer to a request whose path is sent as it is. */
async function get(port: string, path: string): Promise<{ status: number | undefined; body: string }> {
  const asked = request({ host: '127.0.0.1', port, path, agent: false }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const body = (await response.toArray()) as Buffer[];
  return { status: response.statusCode, body: Buffer.concat(body).toString() };
}

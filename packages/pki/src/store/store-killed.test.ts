/** The store under several processes at once, and under kill -9 at random points: real processes, real kills. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@jest/globals';
import { loadCredentials } from '@adit/shared/identity/credentials';
import { parseRevocationList } from '@adit/shared/identity/revocation';
import { parseTrustAnchors } from '@adit/shared/identity/trust';
import { Child } from '../../../../test/support/child.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { initAuthority } from './folder.ts';
import { openStore } from './store.ts';

const store = pathToFileURL(join(import.meta.dirname, 'store.ts')).href;
/** A process that issues and revokes for ever, or `turns` times, and says each serial once it was handed out. */
const worker = (folder: string, name: string, turns = 1e9): Child =>
  new Child(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
    '-e',
    `
  const { openStore } = await import(${JSON.stringify(store)});
  const store = openStore(${JSON.stringify(join(folder, 'ca'))}, { waitMs: 60_000 });
  for (let turn = 0; turn < ${turns}; turn++) {
    const name = ${JSON.stringify(name)} + '-' + turn;
    const { serial } = await store.issueClient({ name }, { out: ${JSON.stringify(join(folder, 'out'))} });
    process.stdout.write('issued ' + serial + '\\n');
    if (turn % 2 === 0) { await store.revoke(name); process.stdout.write('revoked ' + serial + '\\n'); }
  }`,
  ]);
const said = (child: Child, verb: string): string[] =>
  child.lines.filter((line) => line.startsWith(`${verb} `)).map((line) => line.split(' ')[1]!);

async function newFolder(): Promise<string> {
  const folder = temporaryFolder();
  await initAuthority(join(folder, 'ca'));
  return folder;
}

/** Everything that was handed out is recorded, everything revoked is revoked, every file is whole. */
async function check(folder: string, children: readonly Child[]): Promise<void> {
  const opened = openStore(join(folder, 'ca'));
  const listed = opened.list();
  const bySerial = new Map(listed.map((entry) => [entry.serial, entry]));
  for (const serial of children.flatMap((child) => said(child, 'issued'))) expect(bySerial.get(serial)).toBeDefined();
  for (const serial of children.flatMap((child) => said(child, 'revoked')))
    expect(bySerial.get(serial)?.state).toBe('revoked');
  const out = join(folder, 'out');
  for (const name of existsSync(out)
    ? readdirSync(out).filter((file) => file.endsWith('.crt') && file !== 'ca.crt')
    : []) {
    const { leaf } = loadCredentials({
      cert: join(out, name),
      key: join(out, name.replace('.crt', '.key')),
      role: 'client',
    });
    expect(bySerial.get(leaf.serialNumber)).toBeDefined();
  }
  const anchors = parseTrustAnchors(opened.caPem, 'ca.crt');
  parseRevocationList(readFileSync(opened.revocationListFile), anchors);
  expect(parseRevocationList(Buffer.from(await opened.crlPem()), anchors).size).toBe(
    listed.filter(({ state }) => state === 'revoked').length,
  );
  // One who is killed while making its own file to wait with leaves it empty; it goes when it is a minute old.
  const names = readdirSync(join(folder, 'ca')).filter(
    (name) => !/^lock\..*\.tmp$/.test(name) || statSync(join(folder, 'ca', name)).size > 0,
  );
  expect(names.sort()).toEqual(['ca.crt', 'ca.key', 'crl.pem', 'index.json']);
}

test('processes at once lose nothing of each other', async () => {
  const folder = await newFolder();
  const children = ['a', 'b', 'c'].map((name) => worker(folder, name, 5));
  expect((await Promise.all(children.map((child) => child.exit))).map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(openStore(join(folder, 'ca')).list()).toHaveLength(15);
  await check(folder, children);
});
test('killed at random points, the store opens, has all that was handed out, and goes on', async () => {
  const folder = await newFolder();
  const children: Child[] = [];
  for (let round = 0; round < 6; round++) {
    const pair = [worker(folder, `r${round}a`), worker(folder, `r${round}b`)];
    children.push(...pair);
    // Somewhere inside of the first few steps of either: how many lines, and how many turns of the event loop after.
    const enough = 1 + Math.floor(Math.random() * 8);
    await Promise.race(pair.map((child) => child.until('some lines', () => child.lines[enough])));
    for (let turn = Math.floor(Math.random() * 40); turn > 0; turn--) await new Promise(setImmediate);
    await Promise.all(pair.map((child) => child.kill()));
    await check(folder, children);
  }
});

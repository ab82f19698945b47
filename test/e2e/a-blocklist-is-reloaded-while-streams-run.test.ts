import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { adit, startEgress, type Egress } from '../support/adit.ts';
import { certificates, type Certificates } from '../support/certificates.ts';
import { run } from '../support/child.ts';
import { connectHttp1 } from '../support/connect-client.ts';
import { startNginx } from '../support/nginx.ts';
import { scenario } from '../support/scenario.ts';
import { within } from '../support/scope.ts';
import { chunkFrom, echo } from '../support/services.ts';

const policy =
  'version: 1\nrules:\n  - { name: web, identities: [alice], allow: ["localhost:*", "*:443"] }\n' +
  '  - { name: ads, identities: ["*"], deny-files: [blocklist.txt] }\n';

async function setUp(files: Certificates, list: string) {
  const listFile = join(files.folder, 'blocklist.txt');
  const replace = (text: string): void => {
    writeFileSync(`${listFile}.new`, text);
    renameSync(`${listFile}.new`, listFile);
  };
  replace(list);
  const egress = await startEgress({ certificates: files, policy });
  const reloaded = async (text: string): Promise<void> => {
    const before = egress.process.all('reloaded', { what: 'policy' }).length;
    replace(text);
    await egress.process.event('reloaded', { what: 'policy' }, { nth: before + 1 });
  };
  return { egress, listFile, replace, reloaded };
}

async function curl(
  files: Certificates,
  egress: Egress,
  url: string,
): Promise<{ status: string; page: string; told: string }> {
  const alice = files.client('alice');
  const { stdout, stderr } = await run(
    'curl',
    [
      '-sSv',
      '--max-time',
      '60',
      '--proxytunnel',
      '--proxy',
      `https://127.0.0.1:${egress.port}`,
      '--proxy-cacert',
      files.ca,
      '--proxy-cert',
      alice.cert,
      '--proxy-key',
      alice.key,
      '-w',
      '%{http_connect}',
      url,
    ],
    { timeoutMs: 90_000 },
  );
  return {
    status: stdout.slice(-3),
    page: stdout.slice(0, -3),
    told: /^< proxy-status: (.*?)\r?$/im.exec(stderr)?.[1] ?? '',
  };
}

scenario(
  'a name that gets onto the list is refused to curl, open connections to it are cut; a list that is broken or ' +
    'gone changes nothing',
  ['curl', 'nginx'],
  async () => {
    const files = certificates();
    const { http } = await startNginx();
    const url = `http://localhost:${http.split(':')[1]}/hello`;
    const { port } = await echo();
    const { egress, listFile, replace, reloaded } = await setUp(files, '# empty so far\n');
    expect(await curl(files, egress, url)).toMatchObject({
      status: '200',
      page: expect.stringContaining('hello from nginx'),
    });
    const open = await connectHttp1({ port: egress.port, certs: files }, files.client('alice'), `localhost:${port}`);
    expect(open.status).toBe(200);

    await reloaded('# ads\nlocalhost\n');
    expect((await within(30_000, 'the cut', open.received)).ending).toBe('reset');
    expect(await curl(files, egress, url)).toMatchObject({
      status: '403',
      told: expect.stringMatching(/adit-code=POLICY_DENIED$/),
    });
    expect((await curl(files, egress, url)).told).not.toContain('blocklist');
    expect(await egress.process.event('stream', { end: 'refused' })).toMatchObject({
      rule: 'ads',
      verdict: 'deny',
      code: 'POLICY_DENIED',
      reason: expect.stringMatching(
        /^rule "ads" \(.*policy\.yaml:4:50, "blocklist\.txt"\), line 2 \(localhost\), denies it$/,
      ),
    });

    replace('localhost\nnot a name\n');
    expect(await egress.process.event('reload-failed', { what: 'policy' })).toMatchObject({
      code: 'POLICY_INVALID',
      reason: expect.stringContaining('blocklist.txt:2: "not a name"'),
    });
    rmSync(listFile);
    expect(await egress.process.event('reload-failed', { what: 'policy' }, { nth: 2 })).toMatchObject({
      code: 'POLICY_INVALID',
      reason: expect.stringContaining('ENOENT'),
    });
    expect((await curl(files, egress, url)).status).toBe('403');
    expect(await adit(['policy', 'check', egress.policyFile])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('blocklist.txt cannot be read'),
    });

    await reloaded('other.example\n');
    expect((await curl(files, egress, url)).status).toBe('200');
  },
);

test('a list of a million names is held in bounded memory, and reloaded while a stream goes on', async () => {
  const files = certificates();
  const million = Array.from({ length: 1_000_000 }, (_, at) => `host-${at}.tracker-${at % 1_000}.example\n`).join('');
  const { egress, reloaded } = await setUp(files, '# nothing yet\n');
  const { port } = await echo();
  const alice = files.client('alice');
  const open = await connectHttp1({ port: egress.port, certs: files }, alice, `localhost:${port}`);
  open.duplex.removeAllListeners('data');
  const before = await egress.process.residentBytes();
  let loaded = false;
  const loading = reloaded(million).then(() => {
    loaded = true;
  });
  let answers = 0;
  while (!loaded) {
    open.duplex.write('ping');
    expect(String(await chunkFrom(open.duplex as Socket))).toBe('ping');
    answers++;
  }
  await loading;
  expect(answers).toBeGreaterThan(10);
  expect((await egress.process.residentBytes()) - before).toBeLessThan(400 * 2 ** 20);
  for (const [host, status] of [
    ['x.host-999999.tracker-999.example', 403],
    ['host-0.tracker-0.example', 403],
  ] as const) {
    expect((await connectHttp1({ port: egress.port, certs: files }, alice, `${host}:443`)).status).toBe(status);
  }
  expect(await egress.process.event('stream', { requested: 'x.host-999999.tracker-999.example:443' })).toMatchObject({
    code: 'POLICY_DENIED',
    reason: expect.stringContaining('line 1000000 (host-999999.tracker-999.example)'),
  });
  open.duplex.destroy();
}, 180_000);

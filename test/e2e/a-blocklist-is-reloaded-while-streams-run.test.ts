import { rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { adit, startEgress, type Egress } from '../support/adit.ts';
import { certificates, type Certificates, type KeyPair } from '../support/certificates.ts';
import type { Finished } from '../support/child.ts';
import { connectHttp1, type Tunnel } from '../support/connect-client.ts';
import { curlThroughEgress, proxyStatusOf } from '../support/curl.ts';
import { startNginx } from '../support/nginx.ts';
import { reloadPolicy, replaceFile } from '../support/replace-file.ts';
import { scenario } from '../support/scenario.ts';
import { within } from '../support/scope.ts';
import { chunkFrom, echo } from '../support/services.ts';

const policy =
  'version: 1\nrules:\n  - { name: web, identities: [alice], allow: ["localhost:*", "*:443"] }\n' +
  '  - { name: ads, identities: ["*"], deny-files: [blocklist.txt] }\n';

interface House {
  readonly files: Certificates;
  readonly alice: KeyPair;
  readonly egress: Egress;
  readonly listFile: string;
  /** Puts this text in the place of the list, and waits until it is in force. */
  reloaded(text: string): Promise<void>;
  /** A tunnel of alice by CONNECT. */
  connect(target: string): Promise<Tunnel>;
}

/** An egress whose policy has a blocklist. */
async function setUp(list: string): Promise<House> {
  const files = certificates();
  const listFile = join(files.folder, 'blocklist.txt');
  replaceFile(listFile, list);
  const egress = await startEgress({ certificates: files, policy });
  const alice = files.client('alice');
  return {
    files,
    alice,
    egress,
    listFile,
    reloaded: (text) => reloadPolicy(egress, text, listFile),
    connect: (target) => connectHttp1({ port: egress.port, certs: files }, alice, target),
  };
}

scenario(
  'a name that is added to the list is refused, and open connections to it are cut; a broken or missing list ' +
    'changes nothing',
  ['curl', 'nginx'],
  async () => {
    const { http } = await startNginx();
    const url = `http://localhost:${http.split(':')[1]}/hello`;
    const { port } = await echo();
    const { files, alice, egress, listFile, reloaded, connect } = await setUp('# empty so far\n');
    const curl = (): Promise<Finished> => curlThroughEgress({ port: egress.port, files, pair: alice }, url);

    expect((await curl()).stdout).toMatch(/hello from nginx[^]*200$/);
    const open = await connect(`localhost:${port}`);
    expect(open.status).toBe(200);

    await reloaded('# ads\nlocalhost\n');
    expect((await within(30_000, 'the cut', open.received)).ending).toBe('reset');
    const refused = await curl();
    expect(refused.stdout).toMatch(/403$/);
    expect(proxyStatusOf(refused)).toMatch(/adit-code=POLICY_DENIED$/);
    expect(proxyStatusOf(await curl())).not.toContain('blocklist');
    expect(await egress.process.event('stream', { end: 'refused' })).toMatchObject({
      rule: 'ads',
      verdict: 'deny',
      code: 'POLICY_DENIED',
      reason: expect.stringMatching(
        /^rule "ads" \(.*policy\.yaml:4:50, "blocklist\.txt"\), line 2 \(localhost\), denies it$/,
      ),
    });

    replaceFile(listFile, 'localhost\nnot a name\n');
    expect(await egress.process.event('reload-failed', { what: 'policy' })).toMatchObject({
      code: 'POLICY_INVALID',
      reason: expect.stringContaining('blocklist.txt:2: "not a name"'),
    });
    rmSync(listFile);
    expect(await egress.process.event('reload-failed', { what: 'policy' }, { nth: 2 })).toMatchObject({
      code: 'POLICY_INVALID',
      reason: expect.stringContaining('ENOENT'),
    });
    expect((await curl()).stdout).toMatch(/403$/);
    expect(await adit(['policy', 'check', egress.policyFile])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('blocklist.txt cannot be read'),
    });

    await reloaded('other.example\n');
    expect((await curl()).stdout).toMatch(/200$/);
  },
);

test('a list of a million names takes bounded memory, and is reloaded while a stream goes on', async () => {
  const million = Array.from({ length: 1_000_000 }, (_, at) => `host-${at}.tracker-${at % 1_000}.example\n`).join('');
  const { egress, reloaded, connect } = await setUp('# nothing yet\n');
  const { port } = await echo();
  const open = await connect(`localhost:${port}`);
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
    expect((await connect(`${host}:443`)).status).toBe(status);
  }
  expect(await egress.process.event('stream', { requested: 'x.host-999999.tracker-999.example:443' })).toMatchObject({
    code: 'POLICY_DENIED',
    reason: expect.stringContaining('line 1000000 (host-999999.tracker-999.example)'),
  });
  open.duplex.destroy();
}, 180_000);

import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { adit, startEgress, type Egress } from '../support/adit.ts';
import { egressArguments } from '../support/arguments.ts';
import { certificates, type Certificates } from '../support/certificates.ts';
import { connectHttp1, type Tunnel } from '../support/connect-client.ts';
import { curlThroughEgress } from '../support/curl.ts';
import { startDanted } from '../support/danted.ts';
import { startNginx } from '../support/nginx.ts';
import { reloadPolicy } from '../support/replace-file.ts';
import { scenario } from '../support/scenario.ts';
import { within } from '../support/scope.ts';
import { hashingAnswer } from '../support/sha256.ts';
import { chunkFrom, closedPort, echo, hashing, resetting } from '../support/services.ts';
import { squidPassword, startSquid } from '../support/squid.ts';
import { startTinyproxy, tinyproxyPassword } from '../support/tinyproxy.ts';

const curl = async (files: Certificates, { port }: Egress, url: string): Promise<string> =>
  (await curlThroughEgress({ port, files, pair: files.client('alice') }, url)).stdout;
const ask = (files: Certificates, egress: Egress, target: string): Promise<Tunnel> =>
  connectHttp1({ port: egress.port, certs: files }, files.client('alice'), target);

/** Bytes both ways, and a reset; half-closes are kept where the proxy keeps them, which of these dante alone does. */
async function carries(
  files: Certificates,
  egress: Egress,
  through: { readonly echo: string; readonly hashes?: string; readonly rude: string },
): Promise<void> {
  const bytes = Buffer.alloc(300_000, 'adit');
  const back = await ask(files, egress, through.echo);
  back.duplex.write(bytes);
  let length = 0;
  while (length < bytes.length) length += (await chunkFrom(back.duplex as Socket)).length;
  expect(length).toBe(bytes.length);
  back.duplex.end();
  if (through.hashes !== undefined) {
    const whole = await ask(files, egress, through.hashes);
    whole.duplex.end(bytes);
    expect(String((await within(60_000, 'the answer', whole.received)).bytes)).toBe(hashingAnswer(bytes));
  }
  const cut = await ask(files, egress, through.rude);
  cut.duplex.write('x');
  expect((await within(30_000, 'the end', cut.received)).bytes.length).toBe(0);
}

scenario(
  'curl reaches checked services, over TCP and TLS, and an address that a rule names, through squid with a ' +
    'password from a file',
  ['curl', 'nginx', 'squid'],
  async () => {
    const files = certificates();
    const [squid, { http, https, ca }, to, rude] = [
      await startSquid(),
      await startNginx(),
      await echo(),
      await resetting(),
    ];
    const proxy = join(files.folder, 'proxy.url');
    writeFileSync(proxy, `http://alice:${encodeURIComponent(squidPassword)}@127.0.0.1:${squid.port}\n`, {
      mode: 0o600,
    });
    const policy = `version: 1
services:
  web: { backends: ["tcp://localhost:${http.split(':')[1]}"], health: { interval: 100ms }, via: { file: proxy.url } }
  secure: { backends: ["tls://localhost:${https.split(':')[1]}"], tls: { ca: ${ca} }, via: { file: proxy.url } }
rules:
  - { name: web, identities: [alice], allow: [web, secure] }
  - { name: direct, identities: [alice], allow: ["127.0.0.1:*"], via: { file: ${proxy} } }
`;
    const egress = await startEgress({ certificates: files, policy });
    expect(await curl(files, egress, 'http://web.adit.internal/hello')).toBe('hello from nginx over HTTP/1.1\n200');
    expect(await egress.process.event('stream', { requested: 'web' })).toMatchObject({
      via: 'the proxy of proxy.url',
      resolved: `localhost:${http.split(':')[1]}`,
      verdict: 'allow',
      end: 'finished',
    });
    expect(await curl(files, egress, 'http://secure.adit.internal/hello')).toBe('hello from nginx over HTTP/1.1\n200');
    await carries(files, egress, { echo: to.at, rude: rude.at });
    expect(egress.process.all('backend-down')).toEqual([]);
    expect((await ask(files, egress, `127.0.0.1:${await closedPort()}`)).headers.get('proxy-status')).toMatch(
      /error=destination_ip_unroutable; .*adit-code=HOST_UNREACHABLE/,
    );
    expect(readFileSync(squid.accessLog, 'utf8')).toMatch(/CONNECT localhost:\d+ alice/);
    expect(egress.process.output).not.toContain(squidPassword);

    chmodSync(proxy, 0o644);
    expect(await adit(['egress', '--check', ...egressArguments(files, egress.policyFile)])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('has mode 0644, so others may use it'),
    });
    expect(await egress.process.event('reload-failed', { what: 'policy' })).toMatchObject({ code: 'CONFIG_INVALID' });
    writeFileSync(proxy, `http://alice:wrong@127.0.0.1:${squid.port}\n`);
    chmodSync(proxy, 0o600);
    await egress.process.event('reloaded', { what: 'policy' });
    expect((await ask(files, egress, 'web')).headers.get('proxy-status')).toMatch(
      /details="web cannot be reached: the proxy that the egress goes through cannot be used\."; adit-code=VIA_FAILED/,
    );
    expect(await egress.process.event('stream', { code: 'VIA_FAILED' })).toMatchObject({
      reason: expect.stringMatching(/^the proxy of proxy\.url: .*does not accept this user and password/),
    });
  },
);

scenario('tinyproxy works like squid', ['tinyproxy'], async () => {
  const files = certificates();
  const [tinyproxy, to, rude] = [await startTinyproxy(), await echo(), await resetting()];
  const proxy = join(files.folder, 'proxy.url');
  writeFileSync(proxy, `http://alice:${tinyproxyPassword}@127.0.0.1:${tinyproxy.port}\n`, { mode: 0o600 });
  const egress = await startEgress({
    certificates: files,
    policy:
      'version: 1\nrules:\n  - { name: all, identities: [alice], allow: ["127.0.0.1:*"], via: { file: proxy.url ' +
      '} }\n',
  });

  await carries(files, egress, { echo: to.at, rude: rude.at });
});

scenario('dante resolves a name, not the egress, and only where a rule has that very name', ['danted'], async () => {
  const files = certificates();
  const [danted, echoes, to, rude] = [await startDanted(), await echo(), await hashing(), await resetting()];
  const policy = (allow: string): string =>
    `version: 1\nrules:\n  - { name: names, identities: [alice], allow: ["${allow}"], via: ` +
    `"socks5://127.0.0.1:${danted.port}" }\n`;
  const egress = await startEgress({ certificates: files, policy: policy('localhost:*') });
  const targets = {
    echo: `localhost:${echoes.port}`,
    hashes: `localhost:${to.port}`,
    rude: `localhost:${rude.port}`,
  };

  await carries(files, egress, targets);
  expect(await egress.process.event('stream', { requested: `localhost:${to.port}` })).toMatchObject({
    via: `socks5://127.0.0.1:${danted.port}`,
    resolved: `localhost:${to.port}`,
  });

  const here = policy('localhost:*').replace(/via: "(.*)" /, 'via: { url: "$1", resolve: here } ');
  await reloadPolicy(egress, here);
  await carries(files, egress, targets);
  expect(await egress.process.event('stream', { resolved: `127.0.0.1:${to.port}` })).toMatchObject({
    via: `socks5://127.0.0.1:${danted.port}`,
    requested: `localhost:${to.port}`,
  });

  await reloadPolicy(egress, policy('*:*'));
  expect((await ask(files, egress, `localhost:${to.port}`)).status).toBe(403);
  expect(await egress.process.event('stream', { code: 'POLICY_DENIED' })).toMatchObject({
    rule: 'names',
    verdict: 'deny',
    reason: expect.stringContaining('only a rule with this very name reaches it'),
  });
});

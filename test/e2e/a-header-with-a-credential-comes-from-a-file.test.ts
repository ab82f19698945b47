import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { adit, startIngress } from '../support/adit.ts';
import { sessionArguments } from '../support/arguments.ts';
import { certificates } from '../support/certificates.ts';
import { newCa, newServer } from '../support/issuer.ts';
import { replaceFile } from '../support/replace-file.ts';
import { atEnd, eventually, temporaryFolder } from '../support/scope.ts';

const authority = newCa('A public CA');

/** Stands before an egress and turns every request away; `seen` has the Authorization of each. */
async function gate(): Promise<{ readonly port: number; readonly seen: (string | undefined)[] }> {
  const seen: (string | undefined)[] = [];
  const { certPem: cert, keyPem: key } = newServer(authority);
  const server: Server = createServer({ cert, key })
    .on('upgrade', ({ headers }, socket) => {
      seen.push(headers.authorization);
      socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n');
    })
    .listen(0, '127.0.0.1');
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, seen };
}

test('the requests have the headers of the file, and those of its new content once it changes', async () => {
  const files = certificates();
  const { port, seen } = await gate();
  const file = join(temporaryFolder(), 'headers');
  writeFileSync(file, 'Authorization: Bearer hunter1\n', { mode: 0o600 });
  const { process: ingress } = await startIngress({
    certificates: files,
    egressPort: port,
    egress: `wss://127.0.0.1:${port}`,
    to: { nobody: '127.0.0.1:1' },
    flags: ['--outer-ca', files.write('public-ca', authority).cert, '--header-file', file],
  });

  await eventually('a request with the header', () => seen.includes('Bearer hunter1'));
  replaceFile(file, 'Authorization: Bearer hunter2\n', 0o600);
  await ingress.event('reloaded');
  await eventually('a request with the new header', () => seen.includes('Bearer hunter2'));

  expect(new Set(seen)).toEqual(new Set(['Bearer hunter1', 'Bearer hunter2']));
  expect(readFileSync(`/proc/${ingress.pid}/cmdline`, 'utf8') + JSON.stringify(ingress.log)).not.toContain('hunter');
});

test.each([
  ['a credential on the command line', { flags: ['--header', 'Cookie: hunter2'], mode: 0o600 }, '--header-file'],
  ['a file that others may read', { flags: ['--header-file', 'headers'], mode: 0o644 }, 'chmod 600 headers'],
  ['a configuration file that others may read', { flags: ['--config', 'adit.yaml'], mode: 0o644 }, 'adit.yaml:1:1'],
])('%s stops the start, and is not repeated', async (_title, { flags, mode }, advice) => {
  const files = certificates();
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'headers'), 'Authorization: Bearer hunter2\n', { mode });
  writeFileSync(join(cwd, 'adit.yaml'), 'header: "Authorization: Bearer hunter2"\n', { mode });

  const args = [...sessionArguments(files, files.client('alice')), '-L', '0:web', '--check', ...flags];
  const { code, stdout, stderr } = await adit(['ingress', ...args], { cwd });

  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(advice);
  expect(stderr).not.toContain('hunter2');
});

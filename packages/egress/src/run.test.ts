import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { certificates } from '../../../test/support/certificates.ts';
import { allowLoopback } from '../../../test/support/in-process.ts';
import { atEnd } from '../../../test/support/scope.ts';

const main = join(import.meta.dirname, 'main.ts');

interface Started { readonly events: AsyncIterator<string>; readonly exit: Promise<unknown[]>; signal(name: NodeJS.Signals): void }

function start(...args: string[]): Started {
  const child = spawn(process.execPath, ['--conditions=@adit/source', '--disable-warning=ExperimentalWarning', main, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  atEnd(() => { child.kill('SIGKILL'); });
  return { events: createInterface(child.stderr)[Symbol.asyncIterator](), exit: once(child, 'close'), signal: (name) => { child.kill(name); } };
}

async function until({ events }: Started, event: string): Promise<Record<string, unknown>> {
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error(`ended before ${event}`);
    const line = JSON.parse(value) as Record<string, unknown>;
    if (line['event'] === event) return line;
  }
}

function files(policy = allowLoopback): string[] {
  const certs = certificates();
  const file = join(certs.folder, 'policy.yaml');
  writeFileSync(file, policy);
  return ['--cert', certs.egress.cert, '--key', certs.egress.key, '--client-ca', certs.ca, '--policy', file, '--log-format', 'json'];
}

test('serves until SIGTERM, reloads on SIGHUP, and ends with 0', async () => {
  const egress = start('--listen', '127.0.0.1:0', ...files());
  await until(egress, 'listening');
  egress.signal('SIGHUP');
  expect(await until(egress, 'reloaded')).toMatchObject({ cause: 'SIGHUP' });
  egress.signal('SIGTERM');
  await until(egress, 'draining');
  expect(await until(egress, 'stopped')).toMatchObject({ status: 0 });
  expect(await egress.exit).toEqual([0, null]);
});

test('--check validates the files and listens nowhere', async () => {
  expect(await start('--check', ...files()).exit).toEqual([0, null]);
  expect(await start('--check', ...files('version: 2\n')).exit).toEqual([2, null]);
});

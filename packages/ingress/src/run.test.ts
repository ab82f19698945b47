import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { certificates } from '../../../test/support/certificates.ts';
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

test('listens without an egress, drains on SIGTERM, and ends with 0', async () => {
  const certs = certificates();
  const alice = certs.client('alice');
  const ingress = start('--egress', '127.0.0.1:9', '--cert', alice.cert, '--key', alice.key, '--ca', certs.ca, '-L', '0:web', '--log-format', 'json');
  expect(await until(ingress, 'listening')).toMatchObject({ address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) });
  await until(ingress, 'retrying');
  ingress.signal('SIGTERM');
  expect(await until(ingress, 'stopped')).toMatchObject({ status: 0 });
  expect(await ingress.exit).toEqual([0, null]);
});

test('--check ends with 0 for good files and with 3 for a key that is not ours', async () => {
  const certs = certificates();
  const [alice, bob] = [certs.client('alice'), certs.client('bob')];
  const args = ['--check', '--egress', '127.0.0.1:9', '--ca', certs.ca, '-L', '0:web', '--cert', alice.cert];
  expect(await start(...args, '--key', alice.key).exit).toEqual([0, null]);
  expect(await start(...args, '--key', bob.key).exit).toEqual([3, null]);
});


import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { certificates } from '../../../test/support/certificates.ts';
import { allowLoopback } from '../../../test/support/in-process.ts';
import { startSource, type Started } from '../../../test/support/source-program.ts';

const main = join(import.meta.dirname, 'main.ts');

const start = (...args: string[]): Started => startSource(main, args);

function files(policy = allowLoopback): string[] {
  const certs = certificates();
  const file = join(certs.folder, 'policy.yaml');
  writeFileSync(file, policy);
  return [
    '--cert',
    certs.egress.cert,
    '--key',
    certs.egress.key,
    '--client-ca',
    certs.ca,
    '--policy',
    file,
    '--log-format',
    'json',
  ];
}

test('serves until SIGTERM, reloads on SIGHUP, and ends with 0', async () => {
  const egress = start('--listen', '127.0.0.1:0', ...files());
  await egress.until('listening');
  egress.signal('SIGHUP');
  expect(await egress.until('reloaded')).toMatchObject({ cause: 'SIGHUP' });
  egress.signal('SIGTERM');
  await egress.until('draining');
  expect(await egress.until('stopped')).toMatchObject({ status: 0 });
  expect(await egress.exit).toEqual([0, null]);
});

test('--check validates the files and listens nowhere', async () => {
  expect(await start('--check', ...files()).exit).toEqual([0, null]);
  expect(await start('--check', ...files('version: 2\n')).exit).toEqual([2, null]);
});

import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { certificates } from '../../../test/support/certificates.ts';
import { startSource, type Started } from '../../../test/support/source-program.ts';

const main = join(import.meta.dirname, 'main.ts');

const start = (...args: string[]): Started => startSource(main, args);

test('listens without an egress, drains on SIGTERM, and ends with 0', async () => {
  const certs = certificates();
  const alice = certs.client('alice');
  const ingress = start(
    '--egress',
    '127.0.0.1:9',
    '--cert',
    alice.cert,
    '--key',
    alice.key,
    '--ca',
    certs.ca,
    '-L',
    '0:web',
    '--log-format',
    'json',
  );
  expect(await ingress.until('listening')).toMatchObject({ address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) });
  await ingress.until('retrying');
  ingress.signal('SIGTERM');
  expect(await ingress.until('stopped')).toMatchObject({ status: 0 });
  expect(await ingress.exit).toEqual([0, null]);
});

test('--check ends with 0 for good files and with 3 for a key that is not ours', async () => {
  const certs = certificates();
  const [alice, bob] = [certs.client('alice'), certs.client('bob')];
  const args = ['--check', '--egress', '127.0.0.1:9', '--ca', certs.ca, '-L', '0:web', '--cert', alice.cert];
  expect(await start(...args, '--key', alice.key).exit).toEqual([0, null]);
  expect(await start(...args, '--key', bob.key).exit).toEqual([3, null]);
});

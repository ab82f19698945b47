import { appendFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { run } from './run.ts';
import { signersOf, writeSums } from './sums.ts';

const base = mkdtempSync(join(tmpdir(), 'adit-sums-'));
afterAll(() => {
  rmSync(base, { recursive: true, force: true });
});
const key = join(base, 'key');
run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
const folder = mkdtempSync(join(base, 'release-'));
writeFileSync(join(folder, 'b'), 'b');
writeFileSync(join(folder, 'a'), 'a');

test('sums of all files, sorted; they do not list themselves', async () => {
  await writeSums(folder);
  await writeSums(folder);
  const lines = readFileSync(join(folder, 'SHA256SUMS'), 'utf8').split('\n');
  expect(lines.map((line) => line.slice(64))).toEqual(['  a', '  b', '']);
  run('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: folder });
  expect(readdirSync(folder)).toEqual(['SHA256SUMS', 'a', 'b']);
});

test('ssh-keygen accepts the signature, and not for other sums', async () => {
  await writeSums(folder, key);
  const signers = join(base, 'signers');
  writeFileSync(signers, signersOf(key));
  const verify = (): unknown =>
    run(
      'ssh-keygen',
      ['-Y', 'verify', '-f', signers, '-I', 'adit-release', '-n', 'adit-release', '-s', join(folder, 'SHA256SUMS.sig')],
      { input: readFileSync(join(folder, 'SHA256SUMS')) },
    );
  verify();
  appendFileSync(join(folder, 'SHA256SUMS'), '\n');
  expect(verify).toThrow('incorrect signature');
});

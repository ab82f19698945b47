import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { gzipped, tarGzOf, tarOf, withFolders, type Entry } from './tar.ts';

const folder = mkdtempSync(join(tmpdir(), 'adit-tar-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const long = `${'folder/'.repeat(20)}${'n'.repeat(60)}`;
const entries: Entry[] = [
  { path: 'usr/bin/adit', content: 'the program', mode: 0o755 },
  { path: 'etc/', directory: true, mode: 0o750 },
  { path: 'lib', link: 'usr/lib' },
  { path: long, content: Buffer.from([0, 255]) },
];

test('tar reads every entry with its mode, the owner root and the one time', () => {
  const listing = spawnSync('tar', ['-tvf', '-', '--numeric-owner', '--utc', '--full-time'], {
    input: tarOf(entries, 1_700_000_000),
    encoding: 'utf8',
  });
  expect(listing.stderr).toBe('');
  expect(listing.stdout.trimEnd().split('\n')).toEqual([
    'drwxr-x--- 0/0               0 2023-11-14 22:13:20 etc/',
    `-rw-r--r-- 0/0               2 2023-11-14 22:13:20 ${long}`,
    'lrwxrwxrwx 0/0               0 2023-11-14 22:13:20 lib -> usr/lib',
    '-rwxr-xr-x 0/0              11 2023-11-14 22:13:20 usr/bin/adit',
  ]);
});

test('the order of the entries does not matter, and the archive ends as that of GNU tar does', () => {
  const archive = tarOf(entries, 1);
  expect(tarOf(entries.toReversed(), 1)).toEqual(archive);
  expect(archive.length % 10_240).toBe(0);
});

test('gzip unpacks what was packed, and its header tells of no machine and no time', () => {
  const packed = tarGzOf(entries, 1);
  expect(packed.subarray(0, 10).toString('hex')).toBe('1f8b08000000000002ff');
  expect(spawnSync('gzip', ['-dc'], { input: packed }).stdout).toEqual(tarOf(entries, 1));
  expect(spawnSync('gzip', ['-dc'], { input: gzipped(Buffer.from('x')), encoding: 'utf8' }).stdout).toBe('x');
});

test('folders above the entries are added once, unless they are there with a mode of their own', () => {
  const added = withFolders([
    { path: 'etc/', directory: true, mode: 0o750 },
    { path: 'etc/adit/x', content: '' },
    { path: 'etc/adit/y', content: '' },
  ]);
  expect(added.map(({ path }) => path).sort()).toEqual(['etc/', 'etc/adit/', 'etc/adit/x', 'etc/adit/y']);
});

test('a path that ustar cannot hold is refused, not cut', () => {
  expect(() => tarOf([{ path: 'n'.repeat(101), content: '' }], 0)).toThrow('too long for tar');
  expect(() => tarOf([{ path: 'l', link: 'n'.repeat(101) }], 0)).toThrow('too long for tar');
});

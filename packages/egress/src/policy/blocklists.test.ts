import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { BlocklistFiles } from './blocklists.ts';

const folder = mkdtempSync(join(tmpdir(), 'adit-blocklists-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

it('reads a file again when it has changed, and only then', async () => {
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  write('a.txt', 'a.example\n');
  write('b.txt', 'b.example\n');
  const files = new BlocklistFiles(folder);
  expect(files.held(['a.txt'])).toBeUndefined();
  const first = files.load(['a.txt', join(folder, 'b.txt')]);
  expect(files.held(['a.txt', join(folder, 'b.txt')])?.get('a.txt')).toBe(first.get('a.txt'));
  write('a.txt', 'a.example\nc.example\n');
  expect([files.current(['a.txt']), files.held(['a.txt', join(folder, 'b.txt')])]).toEqual([false, undefined]);
  const second = await files.loadInSlices(['a.txt', join(folder, 'b.txt')], new AbortController().signal);
  expect([second.get('a.txt')?.size, second.get(join(folder, 'b.txt'))]).toEqual([2, first.get(join(folder, 'b.txt'))]);
  rmSync(join(folder, 'a.txt'));
  await expect(files.loadInSlices(['a.txt'], new AbortController().signal)).rejects.toMatchObject({
    code: 'POLICY_INVALID',
  });
  expect([files.current(['a.txt']), files.current(['b.txt']), files.current([join(folder, 'b.txt')])]).toEqual([
    false,
    false,
    true,
  ]);
});

import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { alreadyThere, checkReplaceable, createFile, removeStale, replaceFile, stage } from './durable-file.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, 'f');
});

test('a file is made with its mode, whatever the umask', () => {
  const before = process.umask(0o077);
  try {
    createFile({ path, content: 'x', mode: 0o644 });
    createFile({ path: `${path}.key`, content: 'x', mode: 0o600 });
  } finally {
    process.umask(before);
  }
  expect([path, `${path}.key`].map((name) => statSync(name).mode & 0o777)).toEqual([0o644, 0o600]);
});
test('creating does not touch what is there, and leaves nothing', () => {
  writeFileSync(path, 'old');
  expect(() => {
    createFile({ path, content: 'new', mode: 0o600 });
  }).toThrow(expect.objectContaining({ code: 'FILE_EXISTS', message: `The file ${path} is there already.` }));
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['f']);
  expect(alreadyThere('x').code).toBe('FILE_EXISTS');
});
test('replacing puts the new content and mode in place, and leaves nothing', () => {
  writeFileSync(path, 'old', { mode: 0o666 });
  replaceFile({ path, content: Uint8Array.of(1, 2), mode: 0o600 });
  expect([...readFileSync(path)]).toEqual([1, 2]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['f']);
});
test('what is staged has no name until it is told, and goes when it is discarded', () => {
  const staged = stage({ path, content: 'x', mode: 0o600 });
  expect(existsSync(path)).toBe(false);
  expect(readdirSync(folder)).toHaveLength(1);
  staged.discard();
  expect(readdirSync(folder)).toEqual([]);
});
test('discarding after the file has its name does no harm', () => {
  for (const take of ['create', 'replace'] as const) {
    const staged = stage({ path, content: take, mode: 0o600 });
    staged[take]();
    staged.discard();
    expect(readFileSync(path, 'utf8')).toBe(take);
  }
});
test('a folder that is missing or in the way is named', () => {
  expect(() => {
    createFile({ path: join(folder, 'no', 'f'), content: '', mode: 0o600 });
  }).toThrow(
    expect.objectContaining({
      code: 'FILE_UNREADABLE',
      message: expect.stringContaining(`Cannot write ${join(folder, 'no', 'f')}`),
    }),
  );
  mkdirSync(path);
  writeFileSync(join(path, 'x'), '');
  expect(() => {
    replaceFile({ path, content: '', mode: 0o600 });
  }).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
  expect(readdirSync(folder)).toEqual(['f']);
});
test('only what is said to be of the right kind may be replaced', () => {
  const isList = (content: Buffer): boolean => content.toString() === 'list';
  checkReplaceable(path, 'a list', isList);
  writeFileSync(path, 'list');
  checkReplaceable(path, 'a list', isList);
  writeFileSync(path, 'key');
  for (const taken of [path, folder])
    expect(() => checkReplaceable(taken, 'a list', isList)).toThrow(
      `The file ${taken} is there already and is not a list.`,
    );
});
test('what was staged long ago is removed, and nothing else', () => {
  const names = ['f.0123456789ab.tmp', 'f.ab0123456789.tmp', 'f.tmp', 'fx.0123456789ab.tmp', 'f.0123456789ab.tmp.old'];
  for (const name of names) writeFileSync(join(folder, name), '');
  for (const name of names.filter((name) => !name.includes('.ab01'))) utimesSync(join(folder, name), 0, 0);
  removeStale(path);
  expect(readdirSync(folder).sort()).toEqual(names.slice(1).sort());
});

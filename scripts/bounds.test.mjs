/** The table of bounds in docs/security.md: what it names is there, so that no row outlives its code or its test. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { targets } from '../test/fuzz/targets.ts';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs', 'security.md'), 'utf8');
const table = page.slice(page.indexOf('## Every bound'), page.indexOf('## What is not protected'));
const rows = table.split('\n').filter((line) => /^\| (?!what \||---)/.test(line));

test('the table is read', () => {
  expect(rows.length).toBeGreaterThan(25);
});

const cells = rows.map((row) => row.split('|').map((cell) => cell.trim()));
test.each(cells.map(([, what, , stated, tested]) => [what, stated, tested]))('%s', (_what, stated, tested) => {
  const sources = [...stated.matchAll(/`((?:egress|shared)\/src\/)?([a-z0-9/-]+\.ts)`/g)];
  let folder = '';
  const files = sources.map(([, , path], at) => {
    const [, before] = sources[at];
    if (before !== undefined) folder = join('packages', before, join(path, '..'));
    return before === undefined ? join(folder, path) : join('packages', before, path);
  });
  const linked = [...tested.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, path]) => path);
  const named = [...tested.matchAll(/fuzz `([a-z0-9-]+)`/g)].map(([, name]) => name);
  const beside = tested.startsWith('beside') ? files.map((file) => file.replace(/\.ts$/, '.test.ts')) : [];

  expect(files).not.toEqual([]);
  expect([...files, ...linked, ...beside].filter((file) => !existsSync(join(root, file)))).toEqual([]);
  expect(named.filter((name) => !targets.some((target) => target.name === name))).toEqual([]);
});

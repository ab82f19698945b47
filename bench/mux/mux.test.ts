import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { adit, ownBuild } from '../peers/adit.ts';
import { rowNames, row } from '../report/row.ts';
import type { Bench } from '../test.ts';
import { mux } from './mux.ts';

const bench = { options: { seconds: 1 } } as Bench;

test('the multiplexer of a build brings every row', async () => {
  const { values } = await mux.measure(adit(ownBuild), bench);
  expect(Object.keys(values)).toEqual(rowNames.filter((name) => row(name).test === 'mux'));
  for (const value of Object.values(values)) expect(value).toBeGreaterThan(0);
});
test('a build without a multiplexer is not measured', async () => {
  const root = mkdtempSync(join(tmpdir(), 'adit-bench-test-'));
  try {
    await expect(mux.measure(adit({ name: 'empty', root }), bench)).rejects.toThrow(/mux: .*session\.ts/);
  } finally {
    rmSync(root, { recursive: true });
  }
});

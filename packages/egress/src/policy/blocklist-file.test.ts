import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { loadBlocklist, loadBlocklistInSlices } from './blocklist-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'adit-blocklist-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const file = join(folder, 'list.txt');
const never = new AbortController().signal;

describe('a file of names', () => {
  it('gives the same list in one go and in slices, and other work runs between the slices', async () => {
    const count = 20_000;
    writeFileSync(file, Array.from({ length: count }, (_, at) => `host-${at}.example\n`).join(''));
    let turns = 0;
    let loading = true;
    const tick = (): void => {
      turns++;
      if (loading) setImmediate(tick);
    };
    setImmediate(tick);
    const slices = await loadBlocklistInSlices(file, never);
    loading = false;
    const atOnce = loadBlocklist(file);
    expect([slices.size, atOnce.size]).toEqual([count, count]);
    expect([slices, atOnce].map((list) => list.blocks('x.host-19999.example'))).toEqual([
      { line: count, text: 'host-19999.example' },
      { line: count, text: 'host-19999.example' },
    ]);
    expect(turns).toBeGreaterThan(20);
  });

  it('that cannot be read or understood is refused, and every complaint has its line', async () => {
    writeFileSync(file, 'a.example\nnot a name\n');
    const told = {
      code: 'POLICY_INVALID',
      message: `${file}:2: "not a name" has more than one word: write one name, or a line of a hosts file`,
    };
    expect(() => loadBlocklist(file)).toThrow(told.message);
    await expect(loadBlocklistInSlices(file, never)).rejects.toMatchObject(told);
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const absent of [join(folder, 'absent.txt'), folder, pipe, '/dev/zero']) {
      expect(() => loadBlocklist(absent)).toThrow(
        /^The blocklist .* cannot be read: (?:ENOENT|it is not a regular file)/,
      );
      await expect(loadBlocklistInSlices(absent, never)).rejects.toMatchObject({ code: 'POLICY_INVALID' });
    }
  });

  it('stops loading when the signal is aborted', async () => {
    writeFileSync(file, 'a.example\n'.repeat(50_000));
    const controller = new AbortController();
    const loading = loadBlocklistInSlices(file, controller.signal);
    controller.abort(new Error('enough'));
    await expect(loading).rejects.toThrow('enough');
  });
});

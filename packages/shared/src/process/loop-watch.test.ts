import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

interface Line {
  readonly event: string;
  readonly delayMs: number;
  readonly cpuMs: number;
  readonly times: number;
}

/** Runs a script in a process of its own, with `hold(ms)` and `pause(ms)`; returns the lines that its watch logged. */
function watched(options: object, script: string): Line[] {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      '--experimental-strip-types',
      '--input-type=module',
      '-e',
      `import { watchLoop } from ${JSON.stringify(join(import.meta.dirname, 'loop-watch.ts'))};
      import { setTimeout as pause } from 'node:timers/promises';
      const hold = (ms) => { for (const end = performance.now() + ms; performance.now() < end; ) Math.random(); };
      const warn = (fields) => process.stdout.write(JSON.stringify(fields) + '\\n');
      watchLoop({ log: { warn }, ...${JSON.stringify(options)} });
      ${script}`,
    ],
    { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
  );
  expect(stderr.replace(/^.*ExperimentalWarning.*\n.*\n/m, '')).toBe('');
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

test('a turn that holds the loop is logged, with how long and with the CPU time of the process', () => {
  const lines = watched({}, 'await pause(10); hold(1_000); await pause(300);');
  expect(lines).toEqual([
    { event: 'held-up', delayMs: expect.any(Number), cpuMs: expect.any(Number), times: expect.any(Number) },
  ]);
  expect(lines[0]!.delayMs).toBeGreaterThanOrEqual(700);
  expect(lines[0]!.cpuMs).toBeGreaterThan(0);
});

test('further ones are counted, and said in one line once the log was quiet for long enough', () => {
  const lines = watched(
    { tickMs: 20, boundMs: 400, quietMs: 2_500 },
    'for (const ms of [450, 460, 900, 470]) { hold(ms); await pause(30); } await pause(2_500);',
  );
  expect(lines.length).toBeGreaterThanOrEqual(2);
  expect(lines.reduce((sum, { times }) => sum + times, 0)).toBeGreaterThanOrEqual(4);
  expect(lines[1]).toMatchObject({ times: expect.any(Number) });
  expect(lines[1]!.times).toBeGreaterThanOrEqual(3);
  expect(lines[1]!.delayMs).toBeGreaterThanOrEqual(870);
});

test('a loop that is held for less than the bound is not worth a line', () => {
  expect(watched({ boundMs: 60_000 }, 'hold(600); await pause(600);')).toEqual([]);
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Child, killAll, run, tail } from './child.ts';

const node = (script: string): string[] => [process.execPath, '-e', script];
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const forever = 'setInterval(() => {}, 1000);';

describe('a child process of the benchmark', () => {
  afterEach(killAll);

  test('is run to its end with its output and status', async () => {
    expect(
      await run(node('console.log("out"); console.error("err"); process.exitCode = 3'), { timeoutMs: 10_000 }),
    ).toEqual({ status: 3, stdout: 'out\n', stderr: 'err\n' });
  });
  test('is ended when it is late', async () => {
    await expect(run(node(forever), { name: 'sleeper', timeoutMs: 200 })).rejects.toThrow(
      'sleeper was not done after 0.2 s',
    );
  });
  test('that cannot be started says so', async () => {
    await expect(run(['/no/such/program'], { timeoutMs: 5000 })).rejects.toThrow(/ENOENT/);
  });
  test('takes its own children with it when it stops', async () => {
    const child = new Child(
      node(
        `const c = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(forever)}]); ` +
          `console.log(c.pid); ${forever}`,
      ),
    );
    const grandchild = await new Promise<number>((resolve) => {
      child.process.stdout!.once('data', (chunk) => resolve(Number(chunk)));
    });
    expect(alive(grandchild)).toBe(true);
    await child.stop();
    expect(child.running).toBe(false);
    // Whoever adopts the grandchild reaps it in its own time: a zombie still answers to signal 0.
    const state = await run(['ps', '-o', 'stat=', '-p', String(grandchild)], { timeoutMs: 5000 });
    expect(state.stdout.trim()).toMatch(/^(Z.*)?$/);
  });
  test('explains its end by the last lines of its log', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'adit-bench-test-'));
    try {
      const child = new Child(node('console.error("first\\nlast word"); process.exit(7)'), {
        name: 'talker',
        logFile: join(folder, 'log'),
      });
      await child.exit;
      expect(child.complaint()).toBe('talker ended with 7: first | last word');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
  test('does not hand on the settings of an Adit', async () => {
    process.env['ADIT_LOG_LEVEL'] = 'debug';
    try {
      expect((await run(node('console.log(process.env.ADIT_LOG_LEVEL)'), { timeoutMs: 10_000 })).stdout).toBe(
        'undefined\n',
      );
    } finally {
      delete process.env['ADIT_LOG_LEVEL'];
    }
  });
});

test('tail keeps the last lines that say something', () => {
  expect(tail('a\nb\n\n c \n', 2)).toBe('b | c');
  expect(tail('Error: it broke\n    at run (main.js:1:2)\n\nNode.js v26.10.0\n')).toBe('Error: it broke');
});

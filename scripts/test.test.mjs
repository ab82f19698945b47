/**
 * The closing line of `npm test`, on suites made for it: it counts, and it never says `0 failed` where something
 * failed.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';

const folder = mkdtempSync(join(tmpdir(), 'adit-suites-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const scenario = fileURLToPath(new URL('../test/support/scenario.ts', import.meta.url));

let suites = 0;
/** Runs one suite with this text; `last` is the last line on both outputs together. */
async function outcome(text, { ci = '', signal } = {}) {
  const name = `suite-${suites++}.test.mjs`;
  writeFileSync(join(folder, name), text);
  const config = JSON.stringify({
    rootDir: folder,
    transform: {},
    extensionsToTreatAsEsm: ['.ts'],
    testMatch: [`<rootDir>/${name}`],
    cacheDirectory: join(folder, 'cache'),
  });
  const run = spawn(process.execPath, [fileURLToPath(new URL('./test.mjs', import.meta.url)), '--config', config], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CI: ci, FORCE_COLOR: '0' },
  });
  let output = '';
  for (const stream of [run.stdout, run.stderr])
    stream.on('data', (chunk) => {
      output += chunk;
      if (signal !== undefined && !run.killed && output.includes('waiting')) run.kill(signal);
    });
  const status = await new Promise((resolve) => {
    run.once('close', resolve);
  });
  return { status, output, lines: output.trimEnd().split('\n'), last: output.trimEnd().split('\n').at(-1) };
}
const head = "import { test } from '@jest/globals';\n";
const missing =
  `import { scenario } from '${scenario}';\nscenario('it is reached', ['a-program-nobody-has'], async () => ` +
  '{});\n';

test('what passed and what failed is counted', async () => {
  expect(await outcome(`${head}test('a', () => {}); test('b', () => {});`)).toMatchObject({
    status: 0,
    last: '2 passed, 0 failed',
  });
  expect(await outcome(`${head}test('a', () => {}); test('b', () => { throw new Error('no'); });`)).toMatchObject({
    status: 1,
    last: '1 passed, 1 failed',
  });
}, 60_000);

test('a suite that cannot be loaded is a failure', async () => {
  expect(await outcome("import './absent.mjs';")).toMatchObject({ status: 1, last: '0 passed, 1 failed' });
}, 60_000);

test('a run without tests is a failure', async () => {
  expect(await outcome(`${head}test.skip('a', () => {});`)).toMatchObject({
    status: 1,
    last: '0 passed, 1 failed, 1 skipped',
  });
}, 60_000);

test('a runner that dies is a failure', async () => {
  const { status, last, output } = await outcome(`${head}test('a', () => { process.kill(process.pid, 'SIGKILL'); });`);
  expect({ status, last }).toEqual({ status: 1, last: '0 passed, 1 failed' });
  expect(output).toContain('the test run did not reach its end: it left no counts');
}, 60_000);

test('a run that is interrupted closes with its line, as a failure', async () => {
  const waiting =
    `${head}import { writeSync } from 'node:fs';\ntest('a', () => { writeSync(2, 'waiting'); return new ` +
    'Promise(() => {}); }, 50_000);';
  expect(await outcome(waiting, { signal: 'SIGINT' })).toMatchObject({ status: 1, last: '0 passed, 1 failed' });
}, 60_000);

test('a scenario whose program is missing is skipped and named', async () => {
  const { status, lines } = await outcome(`${head}test('a', () => {});\n${missing}`);
  expect({ status, closing: lines.slice(-2) }).toEqual({
    status: 0,
    closing: [
      'skipped, program missing: it is reached (missing: a-program-nobody-has)',
      '1 passed, 0 failed, 1 skipped',
    ],
  });
}, 60_000);

test('with CI=true a missing program is a failure that names it', async () => {
  const { status, last, output } = await outcome(missing, { ci: 'true' });
  expect({ status, last }).toEqual({ status: 1, last: '0 passed, 1 failed' });
  expect(output).toContain('missing on this machine: a-program-nobody-has');
}, 60_000);

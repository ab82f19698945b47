/**
 * Runs the tests with jest and closes with one plain line: `N passed, N failed` (`, N skipped` may follow).
 * Rule: that line is always printed. A run that crashed, was interrupted or executed no test counts as failed. Before
 * it come the names of scenarios that were skipped because a program is missing.
 * usage: npm test -- [unit] [contract] [e2e] [jest's paths, patterns and flags]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jestArguments } from './jest-arguments.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'adit-tests-'));
const file = join(folder, 'counts.json');
// Jest and all programs that a test starts share compiled code, which halves the time of a start.
const caches = { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compiled') };

const status = await runJest(process.argv.slice(2));
const counts = readCounts();
rmSync(folder, { recursive: true, force: true });

const failed = counts.failed === 0 && (status !== 0 || counts.passed === 0) ? 1 : counts.failed;
for (const name of counts.skippedNames.filter((each) => / \((missing: |needs )[^()]*\)$/.test(each)))
  process.stdout.write(`skipped, program missing: ${name}\n`);
process.stdout.write(
  `${counts.passed} passed, ${failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}\n`,
);
process.exitCode = failed > 0 ? 1 : 0;

/**
 * Resolves with the exit status of jest, or with undefined if a signal ended it or it could not start. Passes signals
 * on to it.
 */
function runJest(args) {
  const reporters = ['default', join(root, 'test', 'support', 'reporter.mjs')];
  const jest = spawn(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
      ...jestArguments(args, reporters),
    ],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...caches, TEST_COUNTS_FILE: file } },
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => {
      jest.kill(signal);
    });
  return new Promise((resolve) => {
    jest.once('error', (error) => {
      process.stderr.write(`jest could not start: ${error.message}\n`);
      resolve(undefined);
    });
    jest.once('close', (code) => {
      resolve(code ?? undefined);
    });
  });
}

function readCounts() {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    process.stderr.write(
      `the test run did not reach its end: ${error.code === 'ENOENT' ? 'it left no counts' : error.message}\n`,
    );
    return { passed: 0, failed: 0, skipped: 0, skippedNames: [] };
  }
}

/**
 * Runs all tests with jest and closes with one plain line: `N passed, N failed` (and `, N skipped`).
 * Rule: that line comes whatever happened; a run that crashed or executed no test counts as failed.
 * Scenarios that were skipped, because a program is missing here, are named before it.
 * Arguments go to jest: paths or patterns.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'adit-results-'));
const results = join(folder, 'results.json');

const { status } = spawnSync(process.execPath, [
  '--experimental-vm-modules', '--disable-warning=ExperimentalWarning', join(root, 'node_modules/jest/bin/jest.js'),
  '--ci', '--json', `--outputFile=${results}`, ...process.argv.slice(2),
], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });

let skippedNames = [];
let passed = 0;
let failed = 0;
let skipped = 0;
try {
  const summary = JSON.parse(readFileSync(results, 'utf8'));
  passed = summary.numPassedTests;
  failed = summary.numFailedTests + summary.numRuntimeErrorTestSuites;
  skipped = summary.numPendingTests + summary.numTodoTests;
  skippedNames = summary.testResults.flatMap(({ assertionResults }) => assertionResults.filter(({ status: state }) => state === 'pending').map(({ fullName }) => fullName));
} catch (error) {
  process.stderr.write(`the test run left no results: ${error.message}\n`);
}
if (failed === 0 && (status !== 0 || passed === 0)) failed = 1;
for (const name of skippedNames) process.stdout.write(`skipped: ${name}\n`);
rmSync(folder, { recursive: true, force: true });
process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = failed > 0 ? 1 : 0;

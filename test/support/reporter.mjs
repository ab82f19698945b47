/**
 * Writes what `npm test` has to count to the file that TEST_COUNTS_FILE names, at the end of a run; jest's own reporter
 * does the talking.
 * Rule: a run that does not reach its end leaves no file. A suite that could not be run at all counts as one failure.
 */
import { writeFileSync } from 'node:fs';

export default class {
  onRunComplete(
    _contexts,
    { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numPendingTests, numTodoTests, testResults },
  ) {
    const file = process.env['TEST_COUNTS_FILE'];
    if (file === undefined) return;
    const skipped = testResults
      .flatMap(({ testResults: tests }) => tests)
      .filter(({ status }) => status === 'pending')
      .map(({ fullName }) => fullName);
    writeFileSync(
      file,
      JSON.stringify({
        passed: numPassedTests,
        failed: numFailedTests + numRuntimeErrorTestSuites,
        skipped: numPendingTests + numTodoTests,
        skippedNames: skipped,
      }),
    );
  }
}

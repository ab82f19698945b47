/**
 * The `tests` of a policy file: requests, each with the expected answer.
 * Rule: they run at every load, and one that fails makes the file invalid. They use no DNS: a name is judged as if it
 * resolved to `address`, or as before DNS where there is none.
 */
import type { Destination } from '@adit/shared/protocol/destination';
import type { Complaint } from './complaint.ts';
import type { PolicyTest } from './compile.ts';
import { subjectsOf } from './subjects.ts';
import type { Subject, Verdict } from './verdict.ts';

export type FailedTest = Complaint;

/** What the tests ask of a policy. */
export interface Judge {
  readonly trustDomains: readonly string[];
  decide(subject: Subject, destination: Destination): Verdict;
  decideAddress(subject: Subject, destination: Destination, address: string): Verdict;
}

/** The tests that fail, in the order of the file. */
export function runPolicyTests(judge: Judge, tests: readonly PolicyTest[]): readonly FailedTest[] {
  return tests.flatMap((test) => {
    const groups = (test.groups ?? []).map(({ value }) => value);
    for (const subject of subjectsOf(test.identity.value, groups, judge.trustDomains)) {
      const { value: destination } = test.destination;
      const verdict =
        test.address === undefined
          ? judge.decide(subject, destination)
          : judge.decideAddress(subject, destination, test.address.value);
      if (verdict.allow !== (test.expect === 'allow'))
        return [
          {
            ...test.position,
            text:
              `the test fails: ${describe(test, subject)} has to get ${test.expect} and gets ` +
              `${verdict.allow ? 'allow' : `deny (${verdict.code})`}: ${verdict.detail}`,
          },
        ];
    }
    return [];
  });
}

function describe(test: PolicyTest, subject: Subject): string {
  const who =
    test.identity.value.kind === 'client'
      ? subject.uri.replace('spiffe://any.invalid/client/', '')
      : test.identity.text;
  return `${who} to ${test.destination.text}${test.address === undefined ? '' : ` at ${test.address.text}`}`;
}

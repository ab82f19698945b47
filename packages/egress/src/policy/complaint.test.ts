import { describe, expect, it } from '@jest/globals';
import { AditError } from '@adit/shared/errors';
import { didYouMean, policyInvalid } from './complaint.ts';

describe('complaints', () => {
  it('are one error, in the order of the file', () => {
    const error = policyInvalid('p.yaml', [
      { line: 3, column: 1, text: 'c' },
      { line: 1, column: 9, text: 'b' },
      { line: 1, column: 2, text: 'a' },
    ]);
    expect(error).toBeInstanceOf(AditError);
    expect(error.code).toBe('POLICY_INVALID');
    expect(error.exitStatus).toBe(2);
    expect(error.message).toBe('p.yaml:1:2: a\np.yaml:1:9: b\np.yaml:3:1: c');
  });

  it.each([
    ['alow', ': did you mean "allow"?'],
    ['indentities', ': did you mean "identities"?'],
    ['Allow', ': did you mean "allow"?'],
    ['dney', ': did you mean "deny"?'],
    ['colour', ''],
    ['x', ''],
  ])('suggest for %s%s', (word, ending) => {
    expect(didYouMean(word, ['allow', 'deny', 'identities'])).toBe(ending);
  });
});

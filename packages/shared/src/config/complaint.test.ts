import { expect, test } from '@jest/globals';
import { AditError } from '../errors.ts';
import { quote, refuse, type Complaint } from './complaint.ts';

const thrown = (complaints: readonly Complaint[]): AditError | undefined => {
  try {
    refuse(complaints);
  } catch (error) {
    return error as AditError;
  }
  return undefined;
};

test('no complaint, no error', () => {
  expect(thrown([])).toBeUndefined();
});

test('all complaints are one error, those about the file in its order', () => {
  const error = thrown([
    { code: 'CONFIG_INVALID', text: 'f:9', offset: 90 },
    { code: 'CONFIG_INVALID', text: 'flag' },
    { code: 'CONFIG_UNKNOWN_KEY', text: 'f:1', offset: 0 },
  ]);
  expect(error).toBeInstanceOf(AditError);
  expect(error?.message).toBe('flag\nf:1\nf:9');
});

test('a common code stays, different ones are CONFIG_INVALID, and the exit status is 2', () => {
  expect(
    thrown([
      { code: 'USAGE', text: 'a' },
      { code: 'USAGE', text: 'b' },
    ])?.code,
  ).toBe('USAGE');
  expect(
    thrown([
      { code: 'USAGE', text: 'a' },
      { code: 'CONFIG_UNKNOWN_KEY', text: 'b' },
    ]),
  ).toMatchObject({ code: 'CONFIG_INVALID', exitStatus: 2 });
});

test('quoted text is one escaped line of bounded length', () => {
  expect(quote('a"\n\x1b[2J')).toBe('"a\\"\\n\\x1b[2J"');
  expect(quote('x'.repeat(5_000)).length).toBeLessThan(210);
});

import { expect, test } from '@jest/globals';
import { codes, type CodeRow } from './codes.ts';
import { about, AditError, codeOfWire, isCode, wireOfCode, type Code } from './errors.ts';

test('every code that crosses the wire comes back as itself', () => {
  for (const [code, { wire }] of Object.entries(codes) as [Code, CodeRow][])
    if (wire !== undefined) expect(codeOfWire(wireOfCode(code))).toBe(code);
});

test('a number of a newer peer reads as INTERNAL, and a local code goes out as INTERNAL', () => {
  expect(codeOfWire(9999)).toBe('INTERNAL');
  expect(wireOfCode('CA_EXISTS')).toBe(2);
});

test('a code is a name of the table, and no name that every object has', () => {
  expect(isCode('POLICY_DENIED')).toBe(true);
  for (const other of ['policy_denied', 'toString', 16, undefined]) expect(isCode(other)).toBe(false);
});

test('a final refusal of the egress exits with 4, our own certificate with 3', () => {
  expect(new AditError('CLIENT_CERT_REVOKED', 'no').exitStatus).toBe(4);
  expect(new AditError('CREDENTIALS_UNUSABLE', 'no').exitStatus).toBe(3);
});

test('the advice is that of the table, unless the place that failed knows better', () => {
  expect(new AditError('USAGE', 'no').advice).toBe(codes.USAGE.advice);
  expect(new AditError('USAGE', 'no', { advice: 'Write it so.' }).advice).toBe('Write it so.');
});

test('an error says what it was about, and a bug stays as it is', () => {
  const fails = (error: Error): (() => never) => {
    return () =>
      about({ what: 'the service web', advice: 'Look there.' }, () => {
        throw error;
      });
  };
  expect(fails(new AditError('CONFIG_INVALID', 'The file is gone.'))).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: 'the service web: The file is gone.',
      advice: 'Look there.',
    }),
  );
  expect(fails(new AditError('CONFIG_INVALID', 'It expired.', { advice: 'Renew it.' }))).toThrow(
    expect.objectContaining({ advice: 'Renew it.' }),
  );
  expect(fails(new TypeError('bug'))).toThrow(TypeError);
  expect(about({ advice: '' }, () => 1)).toBe(1);
});

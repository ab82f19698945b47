import { expect, test } from '@jest/globals';
import { prettyLine } from './pretty.ts';

const line = (fields: object): string =>
  prettyLine(
    JSON.stringify({ level: 'info', time: '2026-01-02T03:04:05.678Z', name: 'egress', event: 'listening', ...fields }),
    false,
  );

test('an event is one line: time, level, event, message, fields', () => {
  expect(line({ address: '127.0.0.1:8443', msg: 'ready' })).toMatch(
    /^\d\d:04:05\.678 info {2}listening {2}ready address=127\.0\.0\.1:8443\n$/,
  );
});

test('a message that only repeats the event is left away', () => {
  expect(line({ msg: 'listening' })).toMatch(/05\.678 info {2}listening\n$/);
});

test('a value with spaces, quotes or nothing in it is quoted', () => {
  expect(line({ a: 'x y', b: '', c: 'q"', d: 1.5, e: true, f: ['x'] })).toContain(
    ' a="x y" b="" c="q\\"" d=1.5 e=true f=["x"]\n',
  );
});

test('a warning and an error carry the advice of their code, at the end, unless they have their own', () => {
  const refused = { level: 'warn', event: 'refused', code: 'POLICY_DENIED', client: 'local' };
  expect(line(refused)).toMatch(
    / code=POLICY_DENIED client=local advice="Ask the owner of the egress for a rule [^"]*"\n$/,
  );
  expect(line({ ...refused, level: 'error', advice: 'Look there.' })).toMatch(/ client=local advice="Look there\."\n$/);
  expect(line({ ...refused, level: 'info' })).not.toContain('advice');
  expect(line({ ...refused, code: 'EMFILE' })).not.toContain('advice');
});

test('colours are left away where the terminal does not want them', () => {
  const json = JSON.stringify({ level: 'error', time: 'never', event: 'failed' });
  expect(prettyLine(json, false)).toBe('never error failed\n');
  expect(prettyLine(json, true)).toContain('\u001b[31merror');
});

import { expect, test } from '@jest/globals';
import { formatDate, formatExplanation } from './explanation.ts';

test('facts line up, and problems stand out', () => {
  expect(
    formatExplanation({
      title: 't',
      facts: [
        ['a', '1'],
        ['long', '2'],
      ],
      problems: ['It is bad.'],
    }),
  ).toBe('t\n  a     1\n  long  2\n  WRONG: It is bad.\n');
  expect(formatExplanation({ title: 't', facts: [], problems: [] })).toBe('t\n  Nothing is wrong with it by itself.\n');
});
test('what a file says cannot move the cursor or make lines', () => {
  expect(formatExplanation({ title: 'a\x1b[2J', facts: [['x', 'b\nc']], problems: ['d\re'] })).toBe(
    'a\\x1b[2J\n  x  b\\nc\n  WRONG: d\\re\n',
  );
});
test.each([
  ['2030-01-02T00:00:00Z', 'in 1 day'],
  ['2030-01-31T11:00:00Z', 'in 30 days'],
  ['2030-03-31T23:59:50Z', 'in 90 days'],
  ['2030-01-01T01:00:00Z', 'in less than a day'],
  ['2029-12-31T23:00:00Z', 'less than a day ago'],
  ['2029-12-30T00:00:00Z', '2 days ago'],
])('%s is %s', (date, distance) => {
  expect(formatDate(new Date(date), new Date('2030-01-01T00:00:00Z'))).toBe(
    `${new Date(date).toISOString()} (${distance})`,
  );
});

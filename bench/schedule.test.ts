import { describe, expect, test } from '@jest/globals';
import { schedule } from './schedule.ts';

describe('the schedule', () => {
  test('visits all pairs within a test before the next test, and starts one pair further each round', () => {
    const steps = schedule({ rounds: 3, tests: ['bulk', 'idle'], pairs: ['a', 'b'] });
    expect(steps.map(({ round, test: name, pair }) => `${round} ${name} ${pair}`)).toEqual([
      '0 bulk a',
      '0 bulk b',
      '0 idle a',
      '0 idle b',
      '1 bulk b',
      '1 bulk a',
      '1 idle b',
      '1 idle a',
      '2 bulk a',
      '2 bulk b',
      '2 idle a',
      '2 idle b',
    ]);
  });
  test('is empty without pairs', () => {
    expect(schedule({ rounds: 2, tests: ['bulk'], pairs: [] })).toEqual([]);
  });
});

import { describe, expect, test } from '@jest/globals';
import { type Planned, schedule } from './schedule.ts';

const planned = (test: Planned['test'], more: Partial<Planned> = {}): Planned => ({
  test,
  pairs: ['a', 'b'],
  rounds: 3,
  together: false,
  ...more,
});

describe('the schedule', () => {
  test('visits all pairs within a test before the next test, and starts one pair further each round', () => {
    const turns = schedule([planned('bulk'), planned('idle')]);
    expect(turns.map(([step]) => `${step!.round} ${step!.test} ${step!.pair}`)).toEqual([
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
  test('measures pairs of a test at the same time where they take nothing from each other', () => {
    const turns = schedule([planned('lossy', { together: true, rounds: 2 })]);
    expect(turns.map((steps) => steps.map(({ round, pair }) => `${round} ${pair}`))).toEqual([
      ['0 a', '0 b'],
      ['1 b', '1 a'],
    ]);
  });
  test('is over sooner for a test that has fewer rounds', () => {
    const turns = schedule([
      planned('churn', { rounds: 1, pairs: ['a'] }),
      planned('bulk', { rounds: 2, pairs: ['a'] }),
    ]);
    expect(turns.flat().map(({ round, test: name }) => `${round} ${name}`)).toEqual(['0 churn', '0 bulk', '1 bulk']);
  });
  test('is empty without pairs', () => {
    expect(schedule([planned('bulk', { pairs: [] }), planned('lossy', { pairs: [], together: true })])).toEqual([]);
  });
});

import { resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { UsageError, linkTests, parseOptions, testNames } from './options.ts';

describe('the command line of the benchmark', () => {
  test('measures everything on loopback in five rounds of four seconds when nothing is said', () => {
    expect(parseOptions([])).toEqual({
      only: undefined,
      tests: ['bulk', 'bulk8', 'http', 'rate', 'setup', 'idle', 'idle10k', 'churn', 'start', 'rest'],
      seconds: 4,
      rounds: 5,
      fewerOfLong: true,
      json: undefined,
      markdown: undefined,
      smoke: false,
      full: false,
      compare: undefined,
      builds: [],
      help: false,
    });
  });
  test('takes lists with commas, once each', () => {
    const options = parseOptions(['--only', 'adit, nginx,adit', '--tests=setup,idle']);
    expect(options.only).toEqual(['adit', 'nginx']);
    expect(options.tests).toEqual(['setup', 'idle']);
  });
  test('makes smoke one round of one second', () => {
    expect(parseOptions(['--smoke'])).toMatchObject({ smoke: true, rounds: 1, seconds: 1 });
    expect(() => parseOptions(['--smoke', '--rounds', '3'])).toThrow('--rounds means nothing with --smoke');
  });
  test('measures across links, the multiplexer alone, or everything', () => {
    expect(parseOptions(['--link']).tests).toEqual(linkTests);
    expect(parseOptions(['--link', '--mux']).tests).toEqual([...linkTests, 'mux']);
    expect(parseOptions(['--full'])).toMatchObject({ tests: testNames, rounds: 7, full: true, fewerOfLong: true });
    expect(parseOptions(['--full', '--rounds', '9'])).toMatchObject({ rounds: 9, fewerOfLong: true });
    expect(parseOptions(['--link', '--rounds', '9'])).toMatchObject({ rounds: 9, fewerOfLong: false });
    expect(parseOptions(['--link', '--smoke']).tests).toEqual(['lossy', 'clean-cubic']);
    expect(parseOptions(['--smoke']).tests).not.toContain('idle10k');
    for (const other of [['--tests', 'bulk'], ['--link'], ['--mux']])
      expect(() => parseOptions(['--full', ...other])).toThrow(`${other[0]} means nothing with --full`);
    expect(() => parseOptions(['--link', '--tests', 'bulk'])).toThrow('--link means nothing with --tests');
  });
  test('compares two revisions in fifteen rounds, and measures nothing else then', () => {
    expect(parseOptions(['--compare', 'HEAD~3'])).toMatchObject({ compare: 'HEAD~3', rounds: 15 });
    expect(parseOptions(['--compare', 'main', '--rounds', '2'])).toMatchObject({ rounds: 2 });
    for (const other of [['--only', 'nginx'], ['--smoke'], ['--adit', 'a=b'], ['--markdown', 'x.md']])
      expect(() => parseOptions(['--compare', 'main', ...other])).toThrow(`${other[0]} means nothing with --compare`);
  });
  test('takes further builds by their folders, from wherever it runs', () => {
    expect(parseOptions(['--adit', 'old=/srv/old', '--adit', 'near=a=b']).builds).toEqual([
      { name: 'old', root: '/srv/old' },
      { name: 'near', root: resolve('a=b') },
    ]);
  });
  test.each([
    [['--test', 'bulk'], '--test'],
    [['--tests', 'bulk,nap'], '"nap" is none of'],
    [['--seconds', '0'], 'whole number'],
    [['--rounds', '2.5'], 'whole number'],
    [['--only', ','], '--only wants names'],
    [['--adit', '../old'], 'NAME=DIR'],
    [['--adit', 'old='], 'NAME=DIR'],
    [['bulk'], 'bulk'],
  ])('refuses %j', (args, complaint) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(complaint);
  });
});

import { expect, test } from '@jest/globals';
import config from '../jest.config.mjs';
import { jestArguments, projects } from './jest-arguments.mjs';

const given = (...args) => jestArguments(args, ['default', '/r.mjs']).slice(2);

test('the projects are those of the configuration', () => {
  expect(config.projects.map(({ displayName }) => displayName)).toEqual(projects);
});
test('without arguments everything but the release runs, with the reporters', () => {
  expect(jestArguments([], ['default', '/r.mjs'])).toEqual([
    '--reporters=default',
    '--reporters=/r.mjs',
    ...['--ignoreProjects', 'release', '--ci'],
  ]);
});
test('a name of a project selects it, and so do several', () => {
  expect(given('unit')).toEqual(['--selectProjects', 'unit', '--ci']);
  expect(given('release')).toEqual(['--selectProjects', 'release', '--ci']);
  expect(given('contract', 'e2e')).toEqual(['--selectProjects', 'contract', 'e2e', '--ci']);
});
test('what follows goes to jest as it is', () => {
  expect(given('unit', 'packages/shared', '-t', 'half-close')).toEqual([
    '--selectProjects',
    'unit',
    '--ci',
    'packages/shared',
    '-t',
    'half-close',
  ]);
  expect(given('half-close', 'unit')).toEqual(['--ignoreProjects', 'release', '--ci', 'half-close', 'unit']);
  expect(given('-t', 'e2e')).toEqual(['--ignoreProjects', 'release', '--ci', '-t', 'e2e']);
});

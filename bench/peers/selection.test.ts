import { describe, expect, test } from '@jest/globals';
import { UsageError } from '../options.ts';
import { select } from './selection.ts';

const builds = [{ name: 'other', command: ['node', 'main.js'] }];

describe('the selection of pairs', () => {
  test('takes the pairs that are named, in the order of the table', () => {
    const { peers } = select({ only: ['other', 'direct'], smoke: false, builds });
    expect(peers.map(({ name, kind }) => `${name} ${kind}`)).toEqual(['direct bound', 'other adit']);
  });
  test('lets a build that is called adit stand for the one of this checkout', () => {
    const { peers } = select({ only: ['adit'], smoke: false, builds: [{ name: 'adit', command: ['node', 'elsewhere.js'] }] });
    expect(peers.map(({ name }) => name)).toEqual(['adit']);
  });
  test('refuses a name that nobody has', () => { expect(() => select({ only: ['ngnix'], smoke: false, builds: [] })).toThrow(UsageError); });
  test('refuses two pairs of one name', () => { expect(() => select({ only: undefined, smoke: false, builds: [{ name: 'nginx', command: ['x'] }] })).toThrow('two pairs would be called "nginx"'); });
  test('accounts for every pair: measured or named as missing', () => {
    const { peers, missing } = select({ only: undefined, smoke: false, builds: [{ name: 'adit', command: ['node', 'elsewhere.js'] }] });
    expect([...peers.map(({ name }) => name), ...missing.map(({ name }) => name)].toSorted()).toEqual(['adit', 'direct', 'ghostunnel', 'haproxy', 'nginx', 'socat', 'stunnel']);
  });
});

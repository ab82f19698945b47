import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { UsageError } from '../options.ts';
import { select } from './selection.ts';

const usual = { smoke: false, full: false, tests: ['bulk'] } as const;
let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'adit-bench-test-'));
  for (const half of ['egress', 'ingress']) {
    mkdirSync(join(root, 'packages', half, 'dist'), { recursive: true });
    writeFileSync(join(root, 'packages', half, 'dist', 'main.js'), '');
  }
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

describe('the selection of pairs', () => {
  test('takes the pairs that are named, in the order of the table', () => {
    const { peers } = select({ only: ['other', 'direct'], ...usual, builds: [{ name: 'other', root }] });
    expect(peers.map(({ name, kind }) => `${name} ${kind}`)).toEqual(['direct bound', 'other adit']);
  });
  test('lets a build that is called adit stand for the one of this checkout', () => {
    const { peers } = select({ only: ['adit'], ...usual, builds: [{ name: 'adit', root }] });
    expect(peers.map(({ name }) => name)).toEqual(['adit']);
  });
  test('starts both halves of a build from its own folder', () => {
    const [build] = select({ only: ['other'], ...usual, builds: [{ name: 'other', root }] }).peers;
    const pair = { cert: 'c', key: 'k', pem: 'p' };
    const commands = build!.commands({
      folder: root,
      pki: { ca: 'ca', server: pair, client: pair },
      ingressPort: 1,
      egressHost: '127.0.0.1',
      egressPort: 2,
      servicePort: 3,
      connections: 1,
    });
    for (const half of ['egress', 'ingress'] as const)
      expect(commands![half].slice(0, 2)).toEqual([process.execPath, join(root, 'packages', half, 'dist', 'main.js')]);
    expect(commands!.ingress).toContain('127.0.0.1:1:127.0.0.1:3');
  });
  test('takes variants of a build for the tests that they are about, and for every test when they are named', () => {
    const builds = [{ name: 'adit', root }];
    const full = select({ ...usual, full: true, only: undefined, builds }).peers;
    expect(full.find(({ name }) => name === 'adit-wss')).toMatchObject({ variantOf: 'adit', tests: ['bulk'] });
    const [named] = select({ ...usual, only: ['adit-wss'], builds }).peers;
    expect(named).not.toHaveProperty('tests');
  });
  test('takes no tunnel at all beside Adit for a smoke across links', () => {
    const { peers } = select({
      ...usual,
      smoke: true,
      tests: ['lossy'],
      only: undefined,
      builds: [{ name: 'adit', root }],
    });
    expect(peers.map(({ name }) => name)).toEqual(['adit', 'direct']);
  });
  test('refuses a build that is not built, and says which file is not there', () => {
    expect(() =>
      select({ only: undefined, ...usual, builds: [{ name: 'other', root: join(root, 'packages') }] }),
    ).toThrow(
      'other cannot be measured: not built: there is no ' +
        `${join(root, 'packages', 'packages', 'egress', 'dist', 'main.js')}`,
    );
  });
  test('refuses a name that nobody has', () => {
    expect(() => select({ only: ['ngnix'], ...usual, builds: [] })).toThrow(UsageError);
  });
  test('refuses two pairs of one name', () => {
    expect(() => select({ only: undefined, ...usual, builds: [{ name: 'nginx', root }] })).toThrow(
      'two pairs would be called "nginx"',
    );
  });
  test('accounts for every pair: measured or named as missing', () => {
    const { peers, missing } = select({ only: undefined, ...usual, builds: [{ name: 'adit', root }] });
    expect([...peers.map(({ name }) => name), ...missing.map(({ name }) => name)].toSorted()).toEqual([
      'adit',
      'chisel',
      'direct',
      'ghostunnel',
      'haproxy',
      'nginx',
      'stunnel',
      'wstunnel',
    ]);
  });
});

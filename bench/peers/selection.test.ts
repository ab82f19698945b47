import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { UsageError } from '../options.ts';
import { select } from './selection.ts';

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
    const { peers } = select({ only: ['other', 'direct'], smoke: false, builds: [{ name: 'other', root }] });
    expect(peers.map(({ name, kind }) => `${name} ${kind}`)).toEqual(['direct bound', 'other adit']);
  });
  test('lets a build that is called adit stand for the one of this checkout', () => {
    const { peers } = select({ only: ['adit'], smoke: false, builds: [{ name: 'adit', root }] });
    expect(peers.map(({ name }) => name)).toEqual(['adit']);
  });
  test('starts both halves of a build from its own folder', () => {
    const [build] = select({ only: ['other'], smoke: false, builds: [{ name: 'other', root }] }).peers;
    const pair = { cert: 'c', key: 'k', pem: 'p' };
    const commands = build!.commands({
      folder: root,
      pki: { ca: 'ca', server: pair, client: pair },
      ingressPort: 1,
      egressPort: 2,
      servicePort: 3,
    });
    for (const half of ['egress', 'ingress'] as const)
      expect(commands![half].slice(0, 2)).toEqual([process.execPath, join(root, 'packages', half, 'dist', 'main.js')]);
    expect(commands!.ingress).toContain('127.0.0.1:1:127.0.0.1:3');
  });
  test('refuses a build that is not built, and says which file is not there', () => {
    expect(() =>
      select({ only: undefined, smoke: false, builds: [{ name: 'other', root: join(root, 'packages') }] }),
    ).toThrow(
      'other cannot be measured: not built: there is no ' +
        `${join(root, 'packages', 'packages', 'egress', 'dist', 'main.js')}`,
    );
  });
  test('refuses a name that nobody has', () => {
    expect(() => select({ only: ['ngnix'], smoke: false, builds: [] })).toThrow(UsageError);
  });
  test('refuses two pairs of one name', () => {
    expect(() => select({ only: undefined, smoke: false, builds: [{ name: 'nginx', root }] })).toThrow(
      'two pairs would be called "nginx"',
    );
  });
  test('accounts for every pair: measured or named as missing', () => {
    const { peers, missing } = select({ only: undefined, smoke: false, builds: [{ name: 'adit', root }] });
    expect([...peers.map(({ name }) => name), ...missing.map(({ name }) => name)].toSorted()).toEqual([
      'adit',
      'direct',
      'ghostunnel',
      'haproxy',
      'nginx',
      'socat',
      'stunnel',
    ]);
  });
});

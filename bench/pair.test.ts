import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startPair } from './pair.ts';
import { direct } from './peers/direct.ts';
import type { PairSite, Peer } from './peers/peer.ts';
import { killAll } from './process/child.ts';

const pair = { cert: '', key: '', pem: '' };
const pki = { ca: '', server: pair, client: pair };
const relay = (from: number, to: number): string[] => [
  process.execPath,
  '-e',
  `const net = require('node:net'); net.createServer(a => { const b = net.connect(${to}, '127.0.0.1'); ` +
    `a.pipe(b).pipe(a); a.on('error', () => b.destroy()); b.on('error', () => a.destroy()); }).listen(${from}, ` +
    `'127.0.0.1')`,
];
const relays: Peer = {
  ...direct,
  name: 'relays',
  commands: ({ ingressPort, egressPort, servicePort }: PairSite) => ({
    egress: relay(egressPort, servicePort),
    ingress: relay(ingressPort, egressPort),
  }),
};

describe('a pair', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'adit-bench-test-'));
  });
  afterEach(() => {
    killAll();
    rmSync(folder, { recursive: true, force: true });
  });

  test('listens when it is started, costs something, and is gone when it is stopped', async () => {
    const running = await startPair(relays, { pki, folder, servicePort: 9 });
    expect(running.tunnelled).toBe(true);
    running.check();
    expect(running.memory().total).toBeGreaterThan(2 ** 20);
    expect(running.memory('egress').anonymous).toBeGreaterThan(2 ** 20);
    expect(running.memory('egress').resident).toBeLessThan(running.memory().resident);
    expect(running.processorSeconds()).toBeGreaterThan(0);
    await running.stop();
    expect(() => running.check()).toThrow('relays egress ended with SIGTERM');
    expect(running.memory('egress').total + running.memory('ingress').total).toBe(0);
    await expect(
      new Promise((resolve, reject) => {
        connect(running.port, '127.0.0.1').on('connect', resolve).on('error', reject);
      }),
    ).rejects.toThrow('ECONNREFUSED');
  });
  test('whose half does not start is given up with the last words of that half', async () => {
    const broken: Peer = {
      ...relays,
      commands: (site) => ({
        ...relays.commands(site)!,
        ingress: [process.execPath, '-e', 'console.error("no certificate here"); process.exit(3)'],
      }),
    };
    await expect(startPair(broken, { pki, folder, servicePort: 9 })).rejects.toThrow(
      'relays ingress ended with 3: no certificate here',
    );
  });
  test('may open two descriptors for each of many connections', async () => {
    const counted: Peer = {
      ...relays,
      commands: (site) => ({
        ...relays.commands(site)!,
        ingress: ['sh', '-c', 'echo "open files: $(ulimit -S -n)"; exit 3'],
      }),
    };
    await expect(startPair(counted, { pki, folder, servicePort: 9, connections: 4_100 })).rejects.toThrow(
      'open files: 8300',
    );
  });
  test('without a tunnel is the service itself', async () => {
    const bound = await startPair(direct, { pki, folder, servicePort: 4711 });
    expect([bound.host, bound.port, bound.tunnelled, bound.processorSeconds()]).toEqual(['127.0.0.1', 4711, false, 0]);
    await bound.stop();
  });
});

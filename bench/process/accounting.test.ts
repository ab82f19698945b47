import { afterEach, describe, expect, test } from '@jest/globals';
import { memoryBytes, parsePss, parseStat, processorSeconds } from './accounting.ts';
import { Child, killAll } from './child.ts';

describe('accounting from /proc', () => {
  afterEach(killAll);

  test('reads session and times from a stat line, whatever the name of the process', () => {
    const line = '4242 (a ) (b) S 1 77 88 0 -1 4194560 100 200 0 0 11 22 33 44 20 0 1 0 12345 1000 50 18446744073709551615';
    expect(parseStat(line)).toEqual({ session: 88, ticks: 110 });
  });
  test('refuses a stat line that ends early', () => { expect(() => parseStat('1 (x) S 1 2')).toThrow('not understood'); });
  test('reads the proportional set size, not its parts', () => {
    expect(parsePss('55d0-7ffd ---p 00000000 00:00 0 [rollup]\nRss:    3000 kB\nPss:    2048 kB\nPss_Anon:   900 kB\n')).toBe(2048 * 1024);
    expect(() => parsePss('Rss: 1 kB\n')).toThrow('no Pss line');
  });
  test('counts the time and memory of a session, children included', async () => {
    const burn = 'const end = performance.now() + 300; while (performance.now() < end);';
    const child = new Child([process.execPath, '-e', `require('node:child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(burn)}]); console.log('done'); setInterval(() => {}, 1000)`]);
    await new Promise(resolve => { child.process.stdout!.once('data', resolve); });
    expect(processorSeconds([child.pid])).toBeGreaterThan(0.1);
    expect(memoryBytes([child.pid])).toBeGreaterThan(2 ** 20);
  });
  test('finds nothing for no session', () => { expect([processorSeconds([]), memoryBytes([])]).toEqual([0, 0]); });
});

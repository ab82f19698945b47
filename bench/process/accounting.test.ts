import { afterEach, describe, expect, test } from '@jest/globals';
import { memoryOf, parseRollup, parseStat, processorSeconds } from './accounting.ts';
import { Child, killAll } from './child.ts';

describe('accounting from /proc', () => {
  afterEach(killAll);

  test('reads session and times from a stat line, whatever the name of the process', () => {
    const line =
      '4242 (a ) (b) S 1 77 88 0 -1 4194560 100 200 0 0 11 22 33 44 20 0 1 0 12345 1000 50 18446744073709551615';
    expect(parseStat(line)).toEqual({ session: 88, ticks: 110 });
  });
  test('refuses a stat line that ends early', () => {
    expect(() => parseStat('1 (x) S 1 2')).toThrow('not understood');
  });
  test('reads what is resident, its share, the part that is files, and the part that is of no file', () => {
    expect(
      parseRollup(
        '55d0-7ffd ---p 00000000 00:00 0 [rollup]\nRss:    3000 kB\nPss:    2048 kB\nPss_Anon:   900 kB\n' +
          'Pss_File:   1148 kB\nPss_Shmem:   0 kB\nAnonymous:    901 kB\n',
      ),
    ).toEqual({ total: 2048 * 1024, file: 1148 * 1024, resident: 3000 * 1024, anonymous: 901 * 1024 });
    expect(() => parseRollup('Rss: 1 kB\n')).toThrow('no Pss line');
    expect(() => parseRollup('Pss: 1 kB\n')).toThrow('no Pss_File line');
  });
  test('counts the time and memory of a session, children included', async () => {
    const burn = 'while (process.cpuUsage().user < 300_000);';
    const child = new Child([
      process.execPath,
      '-e',
      `require('node:child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(burn)}]); ` +
        `console.log('done'); setInterval(() => {}, 1000)`,
    ]);
    await new Promise((resolve) => {
      child.process.stdout!.once('data', resolve);
    });
    expect(processorSeconds([child.pid])).toBeGreaterThan(0.28);
    expect(memoryOf([child.pid]).total).toBeGreaterThan(2 ** 20);
  });
  test('finds nothing for no session', () => {
    expect([processorSeconds([]), memoryOf([])]).toEqual([0, { total: 0, file: 0, resident: 0, anonymous: 0 }]);
  });
});

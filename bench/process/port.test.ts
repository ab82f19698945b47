import { afterEach, describe, expect, test } from '@jest/globals';
import { Child, killAll } from './child.ts';
import { freePorts, listeningPorts, untilListening } from './port.ts';

describe('ports', () => {
  afterEach(killAll);

  test('come from the kernel, all different', async () => {
    const ports = await freePorts(5);
    expect(new Set(ports).size).toBe(5);
    expect(Math.min(...ports)).toBeGreaterThan(1023);
  });
  test('that listen are told from connected ones', () => {
    expect(
      listeningPorts(
        [
          '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
          '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 ' +
            '0 0 10 0',
          '   1: 0100007F:0016 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 20 ' +
            '4 30 10 -1',
        ].join('\n'),
      ),
    ).toEqual(new Set([8080]));
  });
  test('are waited for until the process listens', async () => {
    const [port] = await freePorts(1);
    const child = new Child([
      process.execPath,
      '-e',
      `setTimeout(() => require('node:net').createServer().listen(${port}, '127.0.0.1'), 100)`,
    ]);
    await untilListening(port!, child);
  });
  test('of a process that ends are given up with its complaint', async () => {
    const [port] = await freePorts(1);
    await expect(
      untilListening(port!, new Child([process.execPath, '-e', 'process.exit(4)'], { name: 'quitter' })),
    ).rejects.toThrow('quitter ended with 4');
  });
});

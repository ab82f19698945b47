import { afterEach, describe, expect, test } from '@jest/globals';
import { Pair } from '../pair.ts';
import { Child, killAll } from '../process/child.ts';
import { idle } from './idle.ts';

const options = {
  seconds: 1,
  warmUp: false,
  setups: 1,
  idleConnections: 60,
  shortConnections: 1,
  quietSeconds: 0,
};

/** A process that stands for a pair: answers each connection, and does to it what `also` says. */
async function service(also: string): Promise<Pair> {
  const child = new Child([
    process.execPath,
    '-e',
    `let seen = 0; const server = require('node:net').createServer(socket => { seen++; socket.on('error', () ` +
      `=> {}); socket.once('data', () => { socket.write('x'); ${also} }); }).listen(0, '127.0.0.1', () => ` +
      'console.log(server.address().port))',
  ]);
  const port = await new Promise<number>((resolve) => {
    child.process.stdout!.once('data', (chunk) => resolve(Number(chunk)));
  });
  return new Pair(port, [child]);
}

describe('memory per idle connection', () => {
  afterEach(killAll);

  test('grows with what the pair keeps for each', async () => {
    const { values } = await idle.measure(await service('socket.kept = Buffer.alloc(1 << 20, 1);'), options);
    expect(values['idle']).toBeGreaterThan(700);
    expect(values['idle-base']).toBeGreaterThan(5);
  });
  test('is not measured when connections do not stay', async () => {
    await expect(
      idle.measure(await service('if (seen > 50) setTimeout(() => socket.destroy(), 300);'), options),
    ).rejects.toThrow(/idle: of 60 connections only \d+ stayed open/);
  });
  test('is not measured when connections cannot be opened', async () => {
    await expect(idle.measure(await service('if (seen > 30) process.exit();'), options)).rejects.toThrow(
      /idle: .*\d+ of 60 were open/,
    );
  });
});

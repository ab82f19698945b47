import { afterEach, describe, expect, test } from '@jest/globals';
import { Pair } from '../pair.ts';
import { Child, killAll } from '../process/child.ts';
import { churn } from './churn.ts';

const options = {
  seconds: 1,
  warmUp: false,
  setups: 1,
  idleConnections: 1,
  shortConnections: 600,
  quietSeconds: 0,
};

/** A process that stands for a pair: answers each connection, and does to it what `also` says. */
async function service(also: string): Promise<Pair> {
  const child = new Child([
    process.execPath,
    '-e',
    `const kept = []; let seen = 0; const server = require('node:net').createServer(socket => { seen++; ` +
      `socket.on('error', () => {}); socket.once('data', () => { ${also} socket.end('x'); }); })` +
      `.listen(0, '127.0.0.1', () => console.log(server.address().port))`,
  ]);
  const port = await new Promise<number>((resolve) => {
    child.process.stdout!.once('data', (chunk) => resolve(Number(chunk)));
  });
  return new Pair(port, [child]);
}

describe('the memory after many short connections', () => {
  afterEach(killAll);

  test('is what the pair keeps of them', async () => {
    const { values } = await churn.measure(await service('kept.push(Buffer.alloc(1 << 18, 1));'), options);
    expect(values['churn-after']! - values['churn-before']!).toBeGreaterThan(140);
    expect(values['churn']).toBeCloseTo(values['churn-after']! / values['churn-before']!);
  });
  test('is not measured when connections get no answer', async () => {
    await expect(
      churn.measure(await service('if (seen > 500) { socket.destroy(); return; }'), options),
    ).rejects.toThrow('churn: a connection ended without an answer');
  });
});

import { expect } from '@jest/globals';
import { openTunnel } from '../support/adit.ts';
import { Child, succeed } from '../support/child.ts';
import { startRedis } from '../support/redis.ts';
import { scenario } from '../support/scenario.ts';
import { shared } from '../support/shared.ts';

const programs = ['redis-server', 'redis-cli'];
const tunnel = shared(async () => openTunnel({ to: { redis: await startRedis() } }));
const port = async (): Promise<string> => String((await tunnel()).port('redis'));
const redis = async (...args: string[]): Promise<string> =>
  (await succeed('redis-cli', ['-h', '127.0.0.1', '-p', await port(), ...args])).stdout;

scenario('commands are answered', programs, async () => {
  expect(await redis('set', 'key', 'value')).toBe('OK\n');
  expect(await redis('get', 'key')).toBe('value\n');
});

scenario('100,000 commands go through one pipeline', programs, async () => {
  const commands = Array.from({ length: 100_000 }, (_, index) => `SET key:${index} ${index}\r\n`).join('');
  const { stdout } = await succeed('redis-cli', ['-h', '127.0.0.1', '-p', await port(), '--pipe'], { input: commands });
  expect(stdout).toContain('errors: 0, replies: 100000');
  expect(await redis('dbsize')).toMatch(/^10000[01]\n$/);
});

scenario('messages reach a subscriber in order', programs, async () => {
  const subscriber = new Child('redis-cli', ['-h', '127.0.0.1', '-p', await port(), 'subscribe', 'news']);

  await subscriber.line(/^subscribe$/);

  for (let index = 1; index <= 20; index++) expect(await redis('publish', 'news', `message ${index}`)).toBe('1\n');
  await subscriber.line(/^message 20$/);
  expect(subscriber.lines.filter((line) => /^message \d+$/.test(line))).toEqual(
    Array.from({ length: 20 }, (_, index) => `message ${index + 1}`),
  );
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { formatHolder, isGone, parseHolder, thisHolder } from './lock-holder.ts';

test('a holder is read back, each with a token of its own', () => {
  const holder = thisHolder();
  expect(parseHolder(formatHolder(holder))).toEqual(holder);
  expect(thisHolder().token).not.toBe(holder.token);
  expect(holder.pid).toBe(process.pid);
});
test('this process is not gone', () => {
  expect(isGone(thisHolder())).toBe(false);
});
test('a process that has ended is gone', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  expect(isGone({ ...thisHolder(), pid: child.pid! })).toBe(true);
});
test('a process that has the number of another one is not that other one', () => {
  expect(isGone({ ...thisHolder(), startTime: '1' })).toBe(process.platform === 'linux');
});
test('a holder from before the machine was started again is gone', () => {
  expect(isGone({ ...thisHolder(), boot: 'another' })).toBe(process.platform === 'linux');
});
test('nothing is known about another machine or another container', () => {
  expect(isGone({ ...thisHolder(), host: 'elsewhere', boot: 'another', pid: 2 ** 30 })).toBe(false);
  expect(isGone({ ...thisHolder(), processSpace: 'pid:[1]', pid: 2 ** 30 })).toBe(false);
});
test.each([
  '',
  'nonsense',
  'null',
  '[]',
  '{}',
  '{"pid":1}',
  formatHolder({ ...thisHolder(), pid: -1 }),
  formatHolder({ ...thisHolder(), token: '../../x' }),
])('%j is no holder', (text) => {
  expect(parseHolder(text)).toBeUndefined();
});

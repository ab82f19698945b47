import { afterEach, describe, expect, test } from '@jest/globals';
import { killAll } from '../process/child.ts';
import { secondsUntil } from './start.ts';

const node = (program: string): string[] => [process.execPath, '-e', program];

describe('the time until a program says something', () => {
  afterEach(killAll);

  test('ends at the first match, on either output, and takes the program with it', async () => {
    const waits = 'setTimeout(() => console.error("now ready"), 120); setInterval(() => {}, 1000)';
    expect(await secondsUntil(node(waits), /ready/)).toBeGreaterThan(0.12);
  });
  test('ends at the answer to what the program is asked', async () => {
    const echo = node('process.stdin.on("data", (chunk) => process.stdout.write(`<${chunk}>`))');
    expect(await secondsUntil(echo, /<hello>/, 'hello')).toBeGreaterThan(0);
  });
  test('is not measured when the program ends before, and its words are told', async () => {
    await expect(secondsUntil(node('console.error("no such key"); process.exit(3)'), /ready/)).rejects.toThrow(
      /ended with 3 before it said ready: no such key/,
    );
  });
});

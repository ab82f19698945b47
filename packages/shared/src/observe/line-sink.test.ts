import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LineSink } from './line-sink.ts';

let folder: string;
let path: string;
let fd: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'adit-'));
  path = join(folder, 'log');
  fd = openSync(path, 'w');
});
afterEach(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

/** Turns of the event loop until the file has as many lines. */
async function until(lines: number): Promise<string> {
  for (;;) {
    const text = readFileSync(path, 'utf8');
    if (text.split('\n').length > lines) return text;
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

describe('lines to a descriptor', () => {
  test('wait for their neighbours, and are written soon by themselves', async () => {
    const sink = new LineSink(fd, { delayMs: 5 });
    sink.write('a\n');
    sink.write('b\n');
    expect(readFileSync(path, 'utf8')).toBe('');
    const alive = setInterval(() => {
      /* the timer of the sink does not keep a process alive */
    }, 1_000);
    expect(await until(2)).toBe('a\nb\n');
    clearInterval(alive);
  });
  test('are written at once when there are enough of them, in order and complete', async () => {
    const sink = new LineSink(fd, { delayMs: 1_000_000, batchLength: 100 });
    const lines = Array.from({ length: 1_000 }, (_, index) => `line ${index}\n`);
    for (const line of lines) sink.write(line);
    sink.flush();
    expect(await until(1_000)).toBe(lines.join(''));
  });
  test('are there when a flush returns', () => {
    const sink = new LineSink(fd, { delayMs: 1_000_000 });
    sink.write('a\n');
    sink.flush();
    expect(readFileSync(path, 'utf8')).toBe('a\n');
    sink.flushSync();
    expect(readFileSync(path, 'utf8')).toBe('a\n');
  });
  test('beyond the bound are dropped, counted and said', () => {
    const sink = new LineSink(fd, { delayMs: 1_000_000, maxLength: 4, lost: (lines) => `lost ${lines}\n` });
    for (const line of ['a\n', 'b\n', 'c\n', 'd\n']) sink.write(line);
    sink.flushSync();
    expect(readFileSync(path, 'utf8')).toBe('a\nb\nlost 2\n');
  });
});

describe('a reader of the log', () => {
  test('that stalls gets everything later, in order', async () => {
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const reading = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const writing = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    const sink = new LineSink(writing, { batchLength: 1_000 });
    const expected = Array.from({ length: 40_000 }, (_, index) => `line ${index}\n`).join('');
    sink.write(expected);
    const buffer = Buffer.alloc(65_536);
    let text = '';
    const alive = setInterval(() => {
      /* keeps the loop turning while the sink retries */
    }, 1_000);
    while (text.length < expected.length) {
      try {
        text += buffer.toString('utf8', 0, readSync(reading, buffer));
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe('EAGAIN');
      }
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    clearInterval(alive);
    expect(text).toBe(expected);
    closeSync(reading);
    closeSync(writing);
  });
  test('that never reads holds the end of the process for two seconds and no longer', () => {
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const reading = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const writing = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    const sink = new LineSink(writing);
    sink.write(`${'x'.repeat(200_000)}\n`);
    const before = performance.now();
    sink.flush();
    expect(performance.now() - before).toBeLessThan(1_500);
    sink.flushSync();
    expect(performance.now() - before).toBeGreaterThan(1_900);
    expect(performance.now() - before).toBeLessThan(20_000);
    closeSync(reading);
    // now it knows that nobody reads, and does not try again, on a descriptor that is another's by then
    sink.flushSync();
    closeSync(writing);
  });
  test('that goes away ends the log and not the process', async () => {
    const source = new URL('./line-sink.ts', import.meta.url).href;
    const child = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `
      import { LineSink } from ${JSON.stringify(source)};
      const sink = new LineSink(2, { batchLength: 1 });
      process.stdin.on('data', () => { for (let i = 0; i < 100; i++) sink.write('x\\n'); });
      process.stdin.on('end', () => { sink.write('y\\n'); sink.flushSync(); process.exitCode = 7; });
    `,
      ],
      { stdio: ['pipe', 'ignore', 'pipe'] },
    );
    child.stderr.destroy();
    child.stdin.write('go');
    child.stdin.end();
    expect((await once(child, 'exit'))[0]).toBe(7);
  });
});

import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { AditError } from '../errors.ts';
import { createLogger, type Logger, type LoggerOptions } from './logger.ts';

/** A logger and what it wrote. */
function logger(options: Partial<LoggerOptions> = {}): {
  log: Logger;
  lines: () => Record<string, unknown>[];
  text: () => string;
} {
  let text = '';
  const log = createLogger({
    level: 'info',
    format: 'json',
    name: 'egress',
    destination: {
      write: (line) => {
        text += line;
      },
    },
    ...options,
  });
  return {
    log,
    text: () => text,
    lines: () =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

describe('the log', () => {
  test('is one JSON object a line, with level, ISO time, name, event, fields and message', () => {
    const { log, lines } = logger();
    log.info({ event: 'listening', address: '127.0.0.1:8443' }, 'ready');
    expect(lines()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        name: 'egress',
        event: 'listening',
        address: '127.0.0.1:8443',
        msg: 'ready',
      },
    ]);
  });
  test('writes a record as any other line, byte for byte', () => {
    const { log, text } = logger();
    const fields = {
      event: 'stream',
      requested: 'evil\n"\\\u202e\u00e9',
      long: 'x'.repeat(1_000),
      list: ['a', 'b"'],
      ms: 0.25,
      odd: Number.NaN,
      absent: undefined,
      yes: true,
      error: new AditError('DNS_FAILED', 'no such "host"'),
    } as const;
    log.info(fields);
    log.record(fields);
    const [line, record] = text()
      .replaceAll(/"time":"[^"]*"/g, '"time":""')
      .split('\n');
    expect(record).toBe(line);
  });
  test('leaves out what is below its level', () => {
    const { log, lines } = logger({ level: 'warn' });
    log.debug({ event: 'handshake' });
    log.info({ event: 'connected' });
    log.record({ event: 'stream' });
    log.warn({ event: 'retrying' });
    log.error({ event: 'failed' });
    expect(lines().map((line) => [line['level'], line['event']])).toEqual([
      ['warn', 'retrying'],
      ['error', 'failed'],
    ]);
    expect([log.enabled('info'), log.enabled('warn')]).toEqual([false, true]);
  });
  test('escapes and cuts every text, in fields, lists and message', () => {
    const { log, lines, text } = logger();
    log.info(
      {
        event: 'stream',
        requested: 'evil\n{"event":"stopped"}\u202e',
        list: ['a\x1bb'],
        long: 'x'.repeat(10_000),
        nested: { a: '\u202e', big: 1n },
      },
      'm\n\u2066',
    );
    expect(lines()).toEqual([
      expect.objectContaining({
        requested: 'evil\\n{"event":"stopped"}\\u202e',
        list: ['a\\x1bb'],
        long: `${'x'.repeat(512)}…`,
        nested: "{ a: '\\u202e', big: 1n }",
        msg: 'm\\n\\u2066',
      }),
    ]);
    expect(text()).not.toMatch(/[\u202e\u2066]/);
  });
  test('tells an error as code and reason, a bug with its stack', () => {
    const { log, lines } = logger();
    log.error({ event: 'failed', error: new AditError('LISTEN_FAILED', 'port 80 is taken') });
    log.error({ event: 'failed', error: Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }) });
    log.error({ event: 'failed', error: new TypeError('oops') });
    expect(lines()).toEqual([
      expect.objectContaining({ code: 'LISTEN_FAILED', reason: 'port 80 is taken' }),
      expect.objectContaining({ code: 'EMFILE', reason: 'accept EMFILE' }),
      expect.objectContaining({ code: 'INTERNAL', reason: 'oops', stack: expect.stringContaining('TypeError: oops') }),
    ]);
    expect(lines()[0]).not.toHaveProperty('stack');
    expect(lines()[0]).not.toHaveProperty('error');
  });
  test('is readable when it is asked to be, and JSON where there is no terminal', () => {
    const pretty = logger({ format: 'pretty' });
    pretty.log.info({ event: 'listening', address: '[::1]:1' });
    expect(pretty.text()).toContain('listening');
    expect(pretty.text()).toMatch(/address=.*\[::1\]:1\n$/);
    const auto = logger({ format: 'auto' });
    auto.log.info({ event: 'listening' });
    expect(auto.lines()).toHaveLength(1);
  });
});

/** Runs a script against the logger on the real stderr of a process. */
function runScript(script: string): { stderr: string; status: number | null } {
  const source = new URL('./logger.ts', import.meta.url).href;
  return spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `
    import { createLogger, flush } from ${JSON.stringify(source)};
    const log = createLogger({ level: 'info', format: 'auto', name: 'egress' });
    ${script}`,
    ],
    { encoding: 'utf8' },
  );
}

describe('the log of a process', () => {
  const events = (stderr: string): unknown[] =>
    stderr
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { event: string; n?: number }).n);
  test('has every record when the process ends by itself, by exit, and by an exception', () => {
    const records = 'for (let n = 0; n < 5000; n++) log.record({ event: "stream", n });';
    const all = Array.from({ length: 5_000 }, (_, n) => n);
    expect(events(runScript(records).stderr)).toEqual(all);
    expect(events(runScript(`${records} process.exit(0);`).stderr)).toEqual(all);
    const thrown = runScript('log.record({ event: "stream", n: 1 }); throw new Error("bug");');
    expect(thrown.stderr.split('\n').filter((line) => line.startsWith('{'))).toHaveLength(1);
    expect(thrown.status).toBe(1);
  });
  test('has everything that was logged before a flush, even when the process is killed', () => {
    expect(
      events(runScript('log.record({ event: "stream", n: 1 }); flush(); process.kill(process.pid, "SIGKILL");').stderr),
    ).toEqual([1]);
  });
});

import { closeSync, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { run } from '../../../../test/support/child.ts';
import { fromSource } from '../../../../test/support/source-program.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { isJournal, journalErrors, journalPrefix } from './journal.ts';

test('a level has the priority of syslog', () => {
  const prefixes = ['error', 'warn', 'info', 'debug', 'other'].map((level) => journalPrefix(`{"level":"${level}"}`));
  expect(prefixes).toEqual(['<3>', '<4>', '<6>', '<7>', '<6>']);
  expect(journalPrefix('no json')).toBe('<6>');
  expect(journalErrors('one\ntwo\n')).toBe('<3>one\n<3>two\n');
});

test('only the descriptor that JOURNAL_STREAM names is the journal', () => {
  const fd = openSync(join(temporaryFolder(), 'stream'), 'w');
  const { dev, ino } = fstatSync(fd);
  expect(isJournal({ JOURNAL_STREAM: `${dev}:${ino}` }, fd)).toBe(true);
  for (const stream of [undefined, '', '8:1', `${dev}:${ino + 1}`, `${ino}:${dev}`])
    expect(isJournal({ JOURNAL_STREAM: stream }, fd)).toBe(false);
  closeSync(fd);
  expect(isJournal({ JOURNAL_STREAM: `${dev}:${ino}` }, fd)).toBe(false);
});

test('the log and the error of a start carry their level into the journal, and nowhere else', async () => {
  const stream = join(temporaryFolder(), 'stream');
  const script = `
    import { createLogger } from '@adit/shared/observe/logger';
    import { AditError } from '@adit/shared/errors';
    import { runProgram } from '@adit/shared/process/run-program';
    const log = createLogger({ level: 'debug', format: process.argv[1], name: 'egress' });
    log.debug({ event: 'handshake' });
    log.record({ event: 'stream' }, 'warn');
    log.error({ event: 'failed', reason: 'a\\nb' });
    await runProgram('adit', () => { throw new AditError('USAGE', 'no such flag'); });`;
  const wrote = async (format: string, journal: boolean): Promise<string[]> => {
    const node = `exec "$0" ${fromSource.join(' ')} --input-type=module -e "$1" "$2" 2>"$3"`;
    const export_ = journal ? 'touch "$3"; export JOURNAL_STREAM=$(stat -c %d:%i "$3"); ' : '';
    await run('sh', ['-c', export_ + node, process.execPath, script, format, stream], { cwd: import.meta.dirname });
    return (await run('cat', [stream])).stdout.split('\n').slice(0, -1);
  };

  const json = await wrote('json', true);
  expect(json.map((line) => /^<\d>(?=\{"level"|adit: )/.exec(line)?.[0])).toEqual(['<7>', '<4>', '<3>', '<3>']);
  expect(json[2]!.slice(3)).toMatch(/^\{"level":"error",.*\}$/);
  const pretty = await wrote('pretty', true);
  expect(pretty.map((line) => /^<\d>/.exec(line)?.[0])).toEqual(['<7>', '<4>', '<3>', '<3>']);
  for (const line of await wrote('json', false)) expect(line).toMatch(/^(?:\{|adit: )/);
}, 60_000);

import { describe, expect, test } from '@jest/globals';
import { program } from '../program.ts';
import { commandRows, everyRow, gist } from './commands.ts';

const rows = everyRow(commandRows(program()));
const row = (path: string) => rows.find((candidate) => candidate.path.join(' ') === path)!;
const flag = (path: string, long: string) => row(path).flags.find((candidate) => candidate.long === long);

describe('the rows of adit', () => {
  test('a flag of a table has the words and the variable of its setting', () => {
    expect(flag('adit egress', '--log-level')).toEqual({
      long: '--log-level',
      help: 'debug, info, warn or error (default info)',
      value: { name: 'LEVEL', kind: 'words', words: ['debug', 'info', 'warn', 'error'] },
      many: false,
      variable: 'ADIT_LOG_LEVEL',
    });
    expect(flag('adit ingress', '--forward')).toMatchObject({ short: '-L', many: true, value: { kind: 'text' } });
    expect(flag('adit ingress', '--print-rules')!.value).toBeUndefined();
  });
  test('a file and a folder are told by the name of the value', () => {
    expect(flag('adit egress', '--cert')).toMatchObject({ value: { kind: 'file' } });
    expect(flag('adit ca issue client', '--dir')).toMatchObject({ value: { kind: 'folder' }, variable: 'ADIT_CA_DIR' });
    expect(flag('adit ca issue client', '--out')!.help).toBe('where the files go (default: .)');
    expect(row('adit policy check').arguments).toMatchObject([{ kind: 'file', required: true }]);
    expect(row('adit completion').arguments).toMatchObject([{ words: ['bash', 'zsh', 'fish'] }]);
  });
  test('what help hides is hidden', () => {
    expect(flag('adit egress', '--ca')).toBeUndefined();
    expect(row('adit').flags.map(({ short }) => short)).toEqual(['-v', '-h']);
  });
  test('the examples of help are there', () => {
    expect(row('adit ingress').epilogue).toMatch(/^Examples:\n/);
  });
});

test('the gist of a help text is its first part', () => {
  expect(gist('where files go; never a folder')).toBe('where files go');
  expect(gist('its name (default: .)')).toBe('its name');
  expect(gist('word '.repeat(40))).toMatch(/^(?:word ){17}\.\.\.$/);
});

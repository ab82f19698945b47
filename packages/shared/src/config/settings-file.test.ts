import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSettingsFile, readSettingsFile } from './settings-file.ts';

const entries = (text: string): unknown =>
  parseSettingsFile(text, 'edge.yaml').entries.map(({ key, list, texts }) => [
    key,
    list,
    texts.map((item) => item.text),
  ]);
const complaints = (text: string): string[] =>
  parseSettingsFile(text, 'edge.yaml').complaints.map((complaint) => complaint.text);

describe('a configuration file', () => {
  test('keeps every value as the text that was written', () => {
    expect(
      entries('a: 010\nb: 5432:22\nc: no\nd: 1e3\ne: "x\\ty"\nf: ~\ng: 2001-01-01\nh: [1, two]\ni:\n  - x # not y\n'),
    ).toEqual([
      ['a', false, ['010']],
      ['b', false, ['5432:22']],
      ['c', false, ['no']],
      ['d', false, ['1e3']],
      ['e', false, ['x\ty']],
      ['f', false, ['~']],
      ['g', false, ['2001-01-01']],
      ['h', true, ['1', 'two']],
      ['i', true, ['x']],
    ]);
  });
  test('knows the line and column of keys and values', () => {
    expect(parseSettingsFile('# first\nlisten:\n  - a:1\n  - b:2\n', '/etc/edge.yaml')).toMatchObject({
      folder: '/etc',
      entries: [{ at: '/etc/edge.yaml:2:1', texts: [{ at: '/etc/edge.yaml:3:5' }, { at: '/etc/edge.yaml:4:5' }] }],
    });
  });
  test('may be empty', () => {
    for (const text of ['', '\n', '# nothing\n', '---\n'])
      expect(parseSettingsFile(text, 'f')).toMatchObject({ entries: [], complaints: [] });
  });
  test.each([
    ['- a', 'edge.yaml:1:1: the file must hold "key: value" lines'],
    ['just words', 'edge.yaml:1:1: the file must hold "key: value" lines'],
    ['a: 1\nb: 2\na: 3', 'edge.yaml:3:1: Map keys must be unique'],
    ['a: {b: c}', 'edge.yaml:1:4: nested values are not allowed'],
    ['a: [[b]]', 'edge.yaml:1:5: nested values are not allowed'],
    ['listen: *:8443', 'edge.yaml:1:9: aliases are not allowed: put a text that begins with * in quotes'],
    ['a: &x 1', 'anchors are not allowed'],
    ['a: !!int 1', 'edge.yaml:1:4: Unresolved tag'],
    ['? [a]\n: b', 'edge.yaml:1:3: a key must be a word'],
    ['listen: [::1]:8443', 'a text that begins with a bracket needs quotes'],
    ['listen:\n  - [::1]:8443', 'a text that begins with a bracket needs quotes'],
    ['a: 1\n---\nb: 2', 'edge.yaml:2:1: Source contains multiple documents'],
    ['a: "x', 'edge.yaml:1:6: Missing closing "quote'],
    ['\ta: 1', 'edge.yaml:1:1: Tabs are not allowed'],
  ])('%j is refused: %s', (text, complaint) => {
    expect(complaints(text)[0]).toContain(complaint);
  });
  test('that cannot be read is one clear error', () => {
    const folder = mkdtempSync(join(tmpdir(), 'adit-'));
    expect(() => readSettingsFile(join(folder, 'absent.yaml'))).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        exitStatus: 2,
        message: expect.stringMatching(/^the configuration file ".*absent\.yaml" cannot be read: ENOENT/),
      }),
    );
    expect(() => readSettingsFile(folder)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('EISDIR') }),
    );
    rmSync(folder, { recursive: true });
  });
  test('never throws, whatever its text', () => {
    const piece = fc.constantFrom(
      'a',
      ': ',
      '\n',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '&x ',
      '*x',
      '!t ',
      '? ',
      '| ',
      '> ',
      '---\n',
      '...\n',
      '%YAML 1.1\n',
      '#',
      '\t',
      '  ',
      ',',
      '<<',
      '\0',
      '\ufeff',
      '\r',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
        ),
        (text) => {
          for (const { text: complaint } of parseSettingsFile(text, 'f').complaints)
            expect(complaint).toMatch(/^f:\d+:\d+: [^\n]+$/);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

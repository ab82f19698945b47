import { describe, expect, test } from '@jest/globals';
import { markdownReport, place } from './markdown.ts';
import { Results } from './results.ts';

const machine = {
  processor: 'Some CPU',
  cores: 2,
  memoryGiB: 8,
  system: 'Linux 6.1',
  load: 0.1,
  versions: { nginx: '1.22.1' },
};

describe('the report in Markdown', () => {
  test('says how it was made, where, and what came of it', () => {
    const results = new Results({
      pairs: [
        { name: 'adit', kind: 'adit' },
        { name: 'nginx', kind: 'peer' },
      ],
      rows: ['setup'],
    });
    results.add({ pair: 'adit', test: 'setup', round: 0 }, { setup: 0.5 });
    results.add({ pair: 'nginx', test: 'setup', round: 0 }, { setup: 1.25 });
    expect(markdownReport(results, { command: 'npm run bench', date: '2026-01-31', machine }))
      .toBe(`Made by \`npm run bench\` on 2026-01-31:

- Some CPU, 2 cores, 8 GiB, Linux 6.1
- nginx 1.22.1

| median (times the best peer) | adit | nginx |
| --- | ---: | ---: |
| connect to first byte, p50, ms | 0.5 (0.40x) | 1.25 (1.00x) |

Bars:

- met: adit, connect to first byte, p50: wanted at most 0.5x the best peer, is 0.40x of nginx
`);
  });
  test('goes between the marks of a document and leaves the rest alone', () => {
    const document = '# Speed\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nafter\n';
    const placed = place('new\n', document);
    expect(placed).toBe('# Speed\n<!-- bench: begin -->\nnew\n<!-- bench: end -->\nafter\n');
    expect(place('newer\n', placed)).toBe(document.replace('old', 'newer'));
  });
  test('is the whole of a new file, which can be filled again', () => {
    const made = place('new\n', '');
    expect(made).toBe('<!-- bench: begin -->\nnew\n<!-- bench: end -->\n');
    expect(place('newer\n', made)).toBe(made.replace('new', 'newer'));
  });
  test.each([
    '# Speed\n',
    '<!-- bench: begin -->\n',
    '<!-- bench: end -->\n',
    '<!-- bench: end -->\n<!-- bench: begin -->\n',
  ])('does not overwrite a document without both marks in order: %j', (document) => {
    expect(() => place('new\n', document)).toThrow('there is no place for the table');
  });
});

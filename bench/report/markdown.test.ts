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
        { name: 'chisel', kind: 'rival' },
      ],
      rows: ['setup', 'rest-egress-rss'],
      planned: (pair, name) => pair === 'adit' || name === 'setup',
    });
    const step = { test: 'setup', round: 0 } as const;
    results.add({ pair: 'adit', ...step }, { setup: 0.5, 'rest-egress-rss': 66.6 });
    results.add({ pair: 'nginx', ...step }, { setup: 1.25 });
    results.add({ pair: 'chisel', ...step }, { setup: 0.4 });
    expect(markdownReport(results, { command: 'npm run bench', date: '2026-01-31', machine }))
      .toBe(`Made by \`npm run bench\` on 2026-01-31:

- Some CPU, 2 cores, 8 GiB, Linux 6.1
- nginx 1.22.1

### Beside other tunnels

| median (times the best peer) | adit | nginx | chisel |
| --- | ---: | ---: | ---: |
| connect to first byte, p50, ms | 0.5 (0.40x) | 1.25 (1.00x) | 0.4 (0.32x) |

### Start and memory

| median | adit |
| --- | ---: |
| memory of the egress at rest, resident, MB | 66.6 |

### Bars

| measure | bar | goal | is | verdict |
| --- | ---: | ---: | ---: | ---: |
| connect to first byte, p50 | at most 1x chisel | at most 0.8x chisel | 1.25x of chisel | not met, goal not met |
| memory of the egress at rest, resident | at most 70 MB | at most 62 MB | 66.6 MB | met, goal not met |
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

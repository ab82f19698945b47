import { expect, test } from '@jest/globals';
import { inline, markdownPage } from './markdown.ts';

test('headings, paragraphs, lists and code become those of man', () => {
  expect(
    markdownPage(
      [
        '# The page',
        'What it is',
        'about.',
        '',
        '## A section',
        '- one',
        '  goes on',
        '1. two',
        '',
        '```yaml',
        'a: -b',
        '```',
        '### Below',
        '    $ adit',
        '',
        '    more',
        'end',
      ].join('\n'),
    ),
  ).toEqual([
    '.SH DESCRIPTION',
    '.PP\nWhat it is about.',
    '.SH A SECTION',
    '.IP \\(bu 4\none goes on',
    '.IP 1. 4\ntwo',
    '.PP\n.RS 4\n.EX\na: \\-b\n.EE\n.RE',
    '.SS Below',
    '.PP\n.RS 4\n.EX\n$ adit\n\nmore\n.EE\n.RE',
    '.PP\nend',
  ]);
});

test('a row of a table is a tagged paragraph; with several columns each cell is named', () => {
  expect(markdownPage('| a | b |\n| --- | --- |\n| `x\\|y` | two |')).toEqual([
    '.SH DESCRIPTION',
    '.TP\n\\fBx|y\\fR\ntwo',
  ]);
  expect(markdownPage('| rule | public | private |\n| --- | --- | --- |\n| r | yes | no |')[1]).toBe(
    '.TP\nr\n\\fIpublic:\\fR yes. \\fIprivate:\\fR no.',
  );
});

test('code is bold, emphasis italic, and a link its words', () => {
  expect(inline('`--a *b*` *Why.* **no** [the log](logs.md#x) 2 * 3 * 4')).toBe(
    '\\fB\\-\\-a *b*\\fR \\fIWhy.\\fR \\fBno\\fR the log 2 * 3 * 4',
  );
});

test('markup that no page of ours uses is refused', () => {
  expect(() => markdownPage('> quoted')).toThrow('markup that no man page has: > quoted');
  expect(() => markdownPage('<div>')).toThrow('markup');
});

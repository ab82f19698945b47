import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { run } from '../../test/support/child.ts';
import { scenario } from '../../test/support/scenario.ts';
import { argument, page, roff, sentences, tagged } from './roff.ts';

test('a hyphen can be copied, and no line begins a request', () => {
  expect(roff('--listen')).toBe('\\-\\-listen');
  expect(roff('.so /etc/passwd\n\'br "x"')).toBe('\\&.so /etc/passwd\n\\&\'br "x"');
  expect(argument('a "b"')).toBe('"a \\(dqb\\(dq"');
});

test('a sentence has a line of its own, and an abbreviation has not', () => {
  expect(sentences('One ends. Two\n  begins here (v1.2. no). Three?')).toBe(
    'One ends.\nTwo begins here (v1.2. no).\nThree?',
  );
});

test('a heading is not followed by a paragraph request, and no line is empty', () => {
  const text = page(
    { name: 'adit-x', section: 1, summary: 'try it' },
    ['.SH SYNOPSIS', '.PP\nadit x', '.SH OPTIONS', tagged('a', 'b')],
    { version: '1.2.3', date: '2026-11-21' },
  );
  expect(text).toBe(
    '.TH "ADIT\\-X" "1" "2026-11-21" "adit 1.2.3" "Adit manual"\n.SH NAME\nadit\\-x \\- try it\n' +
      '.SH SYNOPSIS\nadit x\n.SH OPTIONS\n.TP\na\nb\n',
  );
});

scenario('mandoc shows any text as it is', ['mandoc', 'sh'], async () => {
  await fc.assert(
    fc.asyncProperty(fc.stringMatching(/^[ -~]{1,40}$/), async (text) => {
      const words = text.trim();
      const source = page({ name: 'adit-x', section: 1, summary: 'try it' }, ['.SH TEXT', roff(`[${words}]`)], {
        version: '1.2.3',
        date: '2026-11-21',
      });
      const { stdout } = await run('sh', ['-c', 'printf %s "$0" | mandoc -T utf8 -O width=200 | col -b', source]);
      expect(stdout.replaceAll(/\s+/g, ' ')).toContain(`[${words}]`.replaceAll(/\s+/g, ' '));
    }),
    { numRuns: 15 },
  );
});

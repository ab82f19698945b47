import { expect, test } from '@jest/globals';
import { parsed } from '@adit/shared/config/parsed';
import { configPage } from './config-page.ts';

const text = `# Configuration
How.

<!-- Generated from the tables of settings: ... -->

## adit one

| flag |
| --- |
| x |

## Secrets

Not in arguments.
`;
const one = {
  listen: { name: 'listen', argument: 'HOST:PORT', many: true, fallback: 'a:1', parse: parsed, help: 'where' },
  password: { name: 'password', secret: true, parse: parsed, help: 'hidden' },
  check: { name: 'check', required: true, parse: parsed, help: 'only look.' },
} as const;

test('the keys come from the rows, the rest from the page; a secret has no key', () => {
  expect(configPage(text, { 'adit one': one })).toEqual([
    '.SH DESCRIPTION',
    '.PP\nHow.',
    '.SH KEYS OF ADIT ONE',
    'The flag has the name of the key: \\fB\\-\\-key\\fR.',
    '.TP\n\\fBlisten:\\fR \\fIHOST:PORT\\fR\n' +
      'where.\nOne value or a list.\nDefault: \\fBa:1\\fR. Variable: \\fBADIT_LISTEN\\fR.',
    '.TP\n\\fBcheck:\\fR \\fBtrue\\fR|\\fBfalse\\fR\nonly look.\nRequired.\nVariable: \\fBADIT_CHECK\\fR.',
    '.SH SECRETS',
    '.PP\nNot in arguments.',
  ]);
});

test('a page without a section after the tables is refused', () => {
  expect(() => configPage('# Configuration\n', { 'adit one': one })).toThrow('no section after');
});

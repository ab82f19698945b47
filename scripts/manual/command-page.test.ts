import { expect, test } from '@jest/globals';
import type { CommandRow } from '../../packages/cli/src/completion/commands.ts';
import { commandPage, epilogue, reference } from './command-page.ts';

const command: CommandRow = {
  name: 'show',
  path: ['adit', 'show'],
  summary: 'show one thing',
  description: 'show one thing',
  arguments: [{ name: 'file', help: 'what to show', kind: 'file', words: [], required: true }],
  flags: [
    { short: '-j', long: '--json', help: 'as JSON', many: false },
    { short: '-h', long: '--help', help: 'display help for command', many: false },
  ],
  epilogue: 'Examples:\n  One file:\n    adit show a.crt\n\nExit status: 0 done, 1 failure.',
  commands: [],
};
const store: CommandRow = {
  ...command,
  name: 'store',
  path: ['adit', 'store'],
  arguments: [],
  epilogue: '',
  commands: [{ ...command, path: ['adit', 'store', 'show'] }],
};

test('a command has its flags, arguments, examples and exit status', () => {
  expect(commandPage(command, ['adit(1)'])).toEqual([
    '.SH SYNOPSIS',
    '.PP\n\\fBadit show\\fR [\\fIoptions\\fR] \\fIfile\\fR',
    '.SH DESCRIPTION',
    'Show one thing.',
    '.SH OPTIONS',
    '.TP\n\\fB\\-j\\fR, \\fB\\-\\-json\\fR\nas JSON.',
    '.TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\ndisplay help for command.',
    '.SH ARGUMENTS',
    '.TP\n\\fIfile\\fR\nWhat to show.',
    '.SH EXAMPLES',
    '.PP\nOne file:',
    '.PP\n.RS 4\n.EX\nadit show a.crt\n.EE\n.RE',
    '.SH EXIT STATUS',
    '0 done, 1 failure.',
    '.SH SEE ALSO',
    '\\fBadit\\fR(1)',
  ]);
});

test('a command with commands below it describes them all', () => {
  const page = commandPage(store, ['adit(1)']).join('\n');
  expect(page).toContain('.SH ADIT\\~STORE\\~SHOW\nShow one thing.');
  expect(page).toContain('.SS EXAMPLES');
});

test('a paragraph and a command after it are told apart', () => {
  expect(epilogue('Start here:\n  adit ca init\n\n"adit" explains.')).toEqual([
    '.SH START HERE',
    '.PP\n.RS 4\n.EX\nadit ca init\n.EE\n.RE',
    '.PP\n"adit" explains.',
  ]);
  expect(reference('adit-config(5)')).toBe('\\fBadit\\-config\\fR(5)');
});

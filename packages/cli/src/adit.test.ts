import { Command } from 'commander';
import { expect, test } from '@jest/globals';
import { aditOf } from './adit.ts';

test('a command line of some commands is that of adit, with those commands', () => {
  const one = aditOf([new Command('one')]);
  expect([one.name(), one.commands.map((command) => command.name())]).toEqual(['adit', ['one']]);
  expect(one.options.map(({ long }) => long)).toContain('--version');
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openPolicy } from '../support/adit.ts';
import { egressArguments, sessionArguments, tested } from '../support/arguments.ts';
import { certificates } from '../support/certificates.ts';
import { inTerminal } from '../support/terminal.ts';

const files = certificates();
const policy = join(files.folder, 'policy.yaml');
writeFileSync(policy, openPolicy);
const halves = [
  ['ingress', ...sessionArguments(files, files.client('alice')), ...tested, '-L', '0:web'],
  ['egress', ...egressArguments(files, policy), ...tested],
];

test.each(halves)('an %s in the foreground of a terminal ends when the terminal closes', async (...args) => {
  const { adit, closeTerminal } = inTerminal(args);
  await adit.event('listening');
  closeTerminal();
  await adit.ends(0);
});

test.each(halves)('with --reload-signal SIGHUP, an %s in a terminal reloads instead', async (...args) => {
  const { adit, signal } = inTerminal([...args, '--reload-signal', 'SIGHUP']);
  await adit.event('listening');
  await signal('SIGHUP');
  expect(await adit.event('reloaded')).toMatchObject({ cause: 'SIGHUP' });
  await signal('SIGTERM');
  await adit.ends(0);
});

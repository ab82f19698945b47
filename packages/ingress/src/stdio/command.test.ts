import { expect, test } from '@jest/globals';
import { stdioFlags } from './options.ts';
import { connectCommand } from './command.ts';

test('the help explains every flag, and lists the exit statuses', () => {
  let text = '';
  const command = connectCommand().configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  for (const { name } of Object.values(stdioFlags)) expect(text).toContain(`--${name}`);
  for (const part of ['ProxyCommand adit connect', '--config', 'Exit status: 0']) expect(text).toContain(part);
  expect(text).not.toMatch(/--cert <FILE>.*\(required/);
});

test('takes one destination', async () => {
  const command = connectCommand()
    .exitOverride()
    .configureOutput({
      writeErr: () => {
        /* the error says it */
      },
    });
  await expect(command.parseAsync([], { from: 'user' })).rejects.toMatchObject({ code: 'commander.missingArgument' });
  await expect(
    connectCommand()
      .exitOverride()
      .configureOutput({
        writeErr: () => {
          /* as above */
        },
      })
      .parseAsync(['a:1', 'b:2'], { from: 'user' }),
  ).rejects.toMatchObject({ code: 'commander.excessArguments' });
});

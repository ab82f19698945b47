import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { lendingIngress } from '../support/adit-connect.ts';
import { builtProgram, startEgress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { run, type Finished } from '../support/child.ts';
import { adapted, blocksOf } from '../support/documented.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { shared } from '../support/shared.ts';
import { echo } from '../support/services.ts';
import { startSshd } from '../support/sshd.ts';

const files = certificates();
const { cert, key } = files.client('alice');
const examples = blocksOf('stdio.md').filter(({ language }) => language === 'sh');
const program = { 'adit connect': `${process.execPath} ${builtProgram()} connect` };

const setUp = shared(async () => {
  const egress = await startEgress({ certificates: files });
  const config = join(temporaryFolder(), 'adit.yaml');
  writeFileSync(
    config,
    `egress: 127.0.0.1:${egress.port}\ncert: ${cert}\nkey: ${key}\nca: ${files.ca}\nforward: 5432:db.internal:5432\n`,
  );
  return { egress, config };
});

const runs = (line: string, places: Readonly<Record<string, string>>): Promise<Finished> =>
  run('sh', ['-c', adapted(line.trim(), { ...program, ...places })]);

scenario('every example of the page is one of these', [], async () => {
  expect(examples.map(({ heading }) => heading)).toEqual([
    'Standard input and output',
    'Standard input and output',
    'Over the session of an ingress that runs',
  ]);
  await Promise.resolve();
});

scenario('ssh by a session of its own, and by that of an ingress', ['ssh', 'sshd'], async () => {
  const { egress, config } = await setUp();
  const { at, user, options } = await startSshd();
  const { socket } = await lendingIngress(files, egress);
  const places = {
    'ssh -o': `ssh ${options.join(' ')} -p ${at.split(':')[1]} -o`,
    'alice@shell.example.org': `${user}@127.0.0.1`,
    uptime: 'echo up',
  };

  expect(await runs(examples[0]!.text, { ...places, '~/.adit.yaml': config })).toMatchObject({
    code: 0,
    stdout: 'up\n',
  });
  expect(await runs(examples[2]!.text, { ...places, '~/.adit.sock': socket })).toMatchObject({
    code: 0,
    stdout: 'up\n',
  });
});

scenario('a pipe', [], async () => {
  const { config } = await setUp();
  expect(
    await runs(examples[1]!.text, { '~/.adit.yaml': config, 'echo.example.org:7': (await echo()).at }),
  ).toMatchObject({ code: 0, stdout: 'hello\n', stderr: '' });
});

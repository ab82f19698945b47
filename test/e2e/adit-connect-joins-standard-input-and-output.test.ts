import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, createReadStream, openSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { connecting, joined } from '../support/adit-connect.ts';
import { adit, builtProgram } from '../support/adit.ts';
import { chaos } from '../support/chaos.ts';
import { succeed } from '../support/child.ts';
import { pattern, patternFile, patternHash } from '../support/pattern.ts';
import { scenario } from '../support/scenario.ts';
import { atEnd, temporaryFolder } from '../support/scope.ts';
import { echo, hashing, receive, service } from '../support/services.ts';
import { sha256OfFile } from '../support/sha256.ts';
import { shared } from '../support/shared.ts';
import { startSshd } from '../support/sshd.ts';

const { session, egress, ways } = connecting();
const sshd = shared(() => startSshd());

for (const [how, way] of ways) {
  scenario(`ssh and scp use it as ProxyCommand, by ${how}`, ['sshd', 'ssh', 'scp', 'ssh-keygen'], async () => {
    const { options, user, at } = await sshd();
    const proxied = [
      ...options,
      '-o',
      `ProxyCommand=${[process.execPath, builtProgram(), ...(await way())].join(' ')} %h:%p`,
    ];
    const port = at.split(':')[1]!;
    const { stdout } = await succeed('ssh', [...proxied, '-p', port, `${user}@127.0.0.1`, 'tr a-z A-Z'], {
      input: 'through standard streams',
    });

    expect(stdout).toBe('THROUGH STANDARD STREAMS');
    const folder = temporaryFolder();
    const sha = await patternFile(join(folder, 'one'), 16);
    await succeed('scp', [...proxied, '-P', port, join(folder, 'one'), `${user}@127.0.0.1:${join(folder, 'two')}`]);
    await succeed('scp', [...proxied, '-P', port, `${user}@127.0.0.1:${join(folder, 'two')}`, join(folder, 'three')]);
    expect(await sha256OfFile(join(folder, 'three'))).toBe(sha);
  });

  scenario(`100 MiB there, and 100 MiB back to a slow reader, arrive byte by byte, by ${how}`, [], async () => {
    const folder = temporaryFolder();
    const sha = await patternFile(join(folder, 'file'), 100);
    const up = joined([...(await way()), (await hashing()).at]);

    createReadStream(join(folder, 'file')).pipe(up.child.stdin);

    expect(await up.all()).toBe(`${100 << 20} ${sha}`);
    expect([await up.ends(), up.stderr()]).toEqual([0, '']);
    const source = await service((socket) => {
      createReadStream(join(folder, 'file')).pipe(socket);
    });
    const down = joined([...(await way()), source.at]);
    down.child.stdin.end();
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of down.child.stdout) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes % 16 === 0) await new Promise(setImmediate);
    }
    expect([bytes, hash.digest('hex'), await down.ends(), down.stderr()]).toEqual([100 << 20, sha, 0, '']);
  });

  scenario(`standard input and output may be files, by ${how}`, ['sh'], async () => {
    const folder = temporaryFolder();
    const sha = await patternFile(join(folder, 'in'), 8);
    const [input, output] = [openSync(join(folder, 'in'), 'r'), openSync(join(folder, 'out'), 'w')];
    const child = spawn(process.execPath, [builtProgram(), ...(await way()), (await echo()).at], {
      stdio: [input, output, 'pipe'],
    });
    atEnd(() => {
      child.kill('SIGKILL');
    });

    expect(await once(child, 'exit')).toEqual([0, null]);
    for (const fd of [input, output]) closeSync(fd);
    expect(await sha256OfFile(join(folder, 'out'))).toBe(sha);
  });

  scenario(`an end on either side leaves the other direction open, by ${how}`, [], async () => {
    const answering = await service((socket) => {
      socket.resume().on('end', () => {
        socket.end('after your end');
      });
    });
    const asked = joined([...(await way()), answering.at]);

    asked.child.stdin.end('question');

    expect([await asked.all(), await asked.ends()]).toEqual(['after your end', 0]);
    const heard: Promise<{ bytes: Buffer; ending: string }>[] = [];
    const ending = await service((socket) => {
      heard.push(receive(socket));
      socket.end('goodbye');
    });
    const told = joined([...(await way()), ending.at]);
    expect(await told.all()).toBe('goodbye'); // standard output is closed, the process lives
    told.child.stdin.end('still here');
    expect(await told.ends()).toBe(0);
    expect(await heard[0]).toEqual({ bytes: Buffer.from('still here'), ending: 'end' });
  });
}

scenario('a connection is recorded as stdio, of a local client', [], async () => {
  const { at } = await echo();

  for (const [, way] of ways)
    expect(await adit([...(await way()), at], { input: 'x' })).toMatchObject({ code: 0, stdout: 'x', stderr: '' });
  const { process } = await egress();
  await process.event('stream', { requested: at }, { nth: 2 });
  for (const record of process.all('stream', { requested: at }))
    expect(record).toMatchObject({ frontEnd: 'stdio', client: 'local', end: 'finished' });
});

scenario('a session of its own outlives the connection to the egress, again and again', [], async () => {
  const { process, port } = await egress();
  const network = await chaos(port);
  const one = joined(['connect', ...session(network.port), (await hashing()).at]);

  for (const [at, chunk] of [...pattern(32)].entries()) {
    if (!one.child.stdin.write(chunk)) await once(one.child.stdin, 'drain');
    if (at % 8 === 4) network.cut();
  }
  one.child.stdin.end();

  expect(await one.all()).toBe(`${32 << 20} ${patternHash(32)}`);
  expect([await one.ends(), one.stderr()]).toEqual([0, '']);
  expect(process.all('connected', { resumed: true }).length).toBeGreaterThan(0);
});

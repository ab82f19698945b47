import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, createReadStream, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import {
  adit,
  builtProgram,
  openPolicy,
  startEgress,
  startIngress,
  type Egress,
  type Ingress,
} from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { chaos } from '../support/chaos.ts';
import { succeed } from '../support/child.ts';
import { pattern, patternFile, patternHash } from '../support/pattern.ts';
import { scenario } from '../support/scenario.ts';
import { atEnd, temporaryFolder, within } from '../support/scope.ts';
import { closedPort, echo, hashing, receive, service, type Service } from '../support/services.ts';
import { startSshd, type Sshd } from '../support/sshd.ts';

const files = certificates();
const { cert, key } = files.client('alice');
const session = (egressPort: number): string[] => [
  '--egress',
  `127.0.0.1:${egressPort}`,
  '--cert',
  cert,
  '--key',
  key,
  '--ca',
  files.ca,
];
const control = join(temporaryFolder(), 'control.sock');

/** In a file of its own: it is not for the egress of the other scenarios. */
function othersPolicy(): string {
  const path = join(temporaryFolder(), 'policy.yaml');
  writeFileSync(path, openPolicy.replace('alice', 'bob'));
  return path;
}

let made: Promise<{ egress: Egress; ingress: Ingress }> | undefined;
const tunnel = () =>
  (made ??= (async () => {
    const egress = await startEgress({ certificates: files });
    return { egress, ingress: await lending(egress, control) };
  })());
let server: Promise<Sshd> | undefined;
const sshd = () => (server ??= startSshd());

/** An ingress that lends its session at a socket. */
async function lending(egress: Egress, path: string): Promise<Ingress> {
  const ingress = await startIngress({
    certificates: files,
    egressPort: egress.port,
    to: {},
    flags: ['--control-socket', path],
  });
  await ingress.process.event('listening');
  return ingress;
}

/** `adit connect` by either way. */
const ways = [
  ['a session of its own', async (): Promise<string[]> => ['connect', ...session((await tunnel()).egress.port)]],
  [
    'a running ingress',
    async (): Promise<string[]> => {
      await tunnel();
      return ['connect', '--control-socket', control];
    },
  ],
] as const;

interface Joined {
  readonly child: ChildProcessWithoutNullStreams;
  readonly stderr: () => string;
  /** Status, or signal, at its end. */ readonly ended: Promise<number | string>;
}

/** `adit connect` with pipes. */
function joined(args: readonly string[]): Joined {
  const child = spawn(process.execPath, [builtProgram(), ...args]);
  atEnd(() => {
    child.kill('SIGKILL');
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdin.on('error', () => {
    /* its exit says so */
  });
  const ended = (once(child, 'close') as Promise<[number | null, string | null]>).then(
    ([code, signal]) => code ?? signal!,
  );
  return { child, stderr: () => stderr, ended };
}

const all = async (from: NodeJS.ReadableStream): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of from) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};
/** The first bytes of its standard output. */
async function first({ child, stderr, ended }: Joined): Promise<string> {
  const early = ended.then((status) => {
    throw new Error(`adit connect ended with ${status} before it said anything`);
  });
  const [chunk] = await within(
    60_000,
    'bytes of adit connect',
    Promise.race([once(child.stdout, 'data') as Promise<[Buffer]>, early]),
    stderr,
  );
  return chunk.toString();
}
const ends = (one: Joined): Promise<number | string> =>
  within(60_000, 'the end of adit connect', one.ended, one.stderr);

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
    expect(
      createHash('sha256')
        .update(readFileSync(join(folder, 'three')))
        .digest('hex'),
    ).toBe(sha);
  });

  scenario(`100 MiB there, and 100 MiB back to a slow reader, arrive byte by byte, by ${how}`, [], async () => {
    const folder = temporaryFolder();
    const sha = await patternFile(join(folder, 'file'), 100);
    const up = joined([...(await way()), (await hashing()).at]);
    createReadStream(join(folder, 'file')).pipe(up.child.stdin);
    expect(String(await all(up.child.stdout))).toBe(`${100 << 20} ${sha}`);
    expect([await ends(up), up.stderr()]).toEqual([0, '']);
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
    expect([bytes, hash.digest('hex'), await ends(down), down.stderr()]).toEqual([100 << 20, sha, 0, '']);
  });

  scenario(`standard input and output may be a file and a file, by ${how}`, ['sh'], async () => {
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
    expect(
      createHash('sha256')
        .update(readFileSync(join(folder, 'out')))
        .digest('hex'),
    ).toBe(sha);
  });

  scenario(`an end on either side leaves the other direction open, by ${how}`, [], async () => {
    const asked = joined([
      ...(await way()),
      (
        await service((socket) => {
          socket
            .on('data', () => {
              /* until its end */
            })
            .on('end', () => {
              socket.end('after your end');
            });
        })
      ).at,
    ]);
    asked.child.stdin.end('question');
    expect([String(await all(asked.child.stdout)), await ends(asked)]).toEqual(['after your end', 0]);
    const heard: Promise<{ bytes: Buffer; ending: string }>[] = [];
    const ending = await service((socket) => {
      heard.push(receive(socket));
      socket.end('goodbye');
    });
    const told = joined([...(await way()), ending.at]);
    expect(String(await all(told.child.stdout))).toBe('goodbye'); // its standard output is closed, and it lives
    told.child.stdin.end('still here');
    expect(await ends(told)).toBe(0);
    expect(await heard[0]).toEqual({ bytes: Buffer.from('still here'), ending: 'end' });
  });

  scenario(`a refusal is one line, and its status says which kind, by ${how}`, [], async () => {
    const args = await way();
    for (const [destination, status, line] of [
      [
        '10.1.2.3:22',
        4,
        /^adit: The policy of the egress does not allow alice to reach 10\.1\.2\.3:22\. [^\n]* \[POLICY_DENIED\]\n$/,
      ],
      ['nonsense', 4, /^adit: [^\n]* \[UNKNOWN_SERVICE\]\n$/],
      [`127.0.0.1:${await closedPort()}`, 1, /^adit: [^\n]* \[CONNECTION_REFUSED\]\n$/],
      ['127.0.0.1:0', 2, /^adit: the destination "127\.0\.0\.1:0": [^\n]* \[USAGE\]\n$/],
    ] as const)
      expect(await adit([...args, destination])).toMatchObject({
        code: status,
        stdout: '',
        stderr: expect.stringMatching(line),
      });
  });

  scenario(`a reset of the service, and a reader that leaves, are failures, by ${how}`, [], async () => {
    const reset = joined([
      ...(await way()),
      (
        await service((socket) => {
          socket.once('data', () => {
            socket.resetAndDestroy();
          });
        })
      ).at,
    ]);
    reset.child.stdin.write('x');
    expect([await ends(reset), reset.stderr()]).toEqual([
      1,
      expect.stringMatching(/^adit: [^\n]*\[CONNECTION_RESET\]\n$/),
    ]);
    const endless: Service = await service((socket) => {
      const more = (): void => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65_536))) {
          /* until it is full */
        }
      };
      socket.on('drain', more);
      more();
    });
    const left = joined([...(await way()), endless.at]);
    await first(left);
    left.child.stdout.destroy();
    expect([await ends(left), left.stderr()]).toEqual([
      1,
      expect.stringContaining('nobody reads standard output any more'),
    ]);
    await endless.idle();
  });

  for (const [signal, status] of [
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    scenario(`${signal} ends it, and the service sees a reset, by ${how}`, [], async () => {
      const heard: Promise<{ ending: string }>[] = [];
      const talking = await service((socket) => {
        heard.push(receive(socket));
        socket.write('hello');
      });
      const one = joined([...(await way()), talking.at]);
      await first(one);
      one.child.kill(signal);
      expect([await ends(one), one.stderr()]).toEqual([status, '']);
      expect(await heard[0]).toMatchObject({ ending: 'reset' });
    });
  }
}

scenario('what goes through is recorded as stdio, of a local client', [], async () => {
  const { egress } = await tunnel();
  const { at } = await echo();
  for (const [, way] of ways)
    expect(await adit([...(await way()), at], { input: 'x' })).toMatchObject({ code: 0, stdout: 'x', stderr: '' });
  await egress.process.event('stream', { requested: at }, { nth: 2 });
  for (const record of egress.process.all('stream', { requested: at }))
    expect(record).toMatchObject({ frontEnd: 'stdio', client: 'local', end: 'finished' });
});

scenario('an ingress that is killed in the middle is no end of the service: the status is not 0', [], async () => {
  const { egress } = await tunnel();
  const path = join(temporaryFolder(), 'c');
  const ingress = await lending(egress, path);
  const talking = await service((socket) => {
    socket.write('half of it');
  });
  const one = joined(['connect', '--control-socket', path, talking.at]);
  await first(one);
  one.child.stdin.end(); // our end is no excuse
  await ingress.process.kill();
  expect([await ends(one), one.stderr()]).toEqual([
    1,
    expect.stringMatching(
      /^adit: the ingress at [^\n]* is gone, in the middle of the connection\. [^\n]*\[INGRESS_GONE\]\n$/,
    ),
  ]);
  // What it left behind is no ingress: there is a session of its own, or a reason.
  expect(
    await adit(['connect', '--control-socket', path, ...session(egress.port), (await echo()).at], { input: 'alone' }),
  ).toMatchObject({ code: 0, stdout: 'alone' });
  expect(await adit(['connect', '--control-socket', path, 'web'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^adit: no ingress answers at [^\n]*\[USAGE\]\n$/),
  });
});

scenario('an ingress that drains lets it finish, and then resets it with the reason', [], async () => {
  const { egress } = await tunnel();
  const path = join(temporaryFolder(), 'c');
  const ingress = await lending(egress, path);
  const one = joined(['connect', '--control-socket', path, (await echo()).at]);
  one.child.stdin.write('hello');
  await first(one);
  ingress.process.signal('SIGTERM');
  await ingress.process.ends(0);
  expect([await ends(one), one.stderr()]).toEqual([
    1,
    expect.stringMatching(/^adit: the ingress stops\. [^\n]*\[DRAINING\]\n$/),
  ]);
});

scenario('a session of its own outlives the connection to the egress, again and again', [], async () => {
  const { egress } = await tunnel();
  const network = await chaos(egress.port);
  const one = joined(['connect', ...session(network.port), (await hashing()).at]);
  for (const [at, chunk] of [...pattern(32)].entries()) {
    if (!one.child.stdin.write(chunk)) await once(one.child.stdin, 'drain');
    if (at % 8 === 4) network.cut();
  }
  one.child.stdin.end();
  expect(String(await all(one.child.stdout))).toBe(`${32 << 20} ${patternHash(32)}`);
  expect([await ends(one), one.stderr()]).toEqual([0, '']);
  expect(egress.process.all('connected', { resumed: true }).length).toBeGreaterThan(0);
});

scenario('the egress that denies us and the one that is not there say so', [], async () => {
  const stranger = await startEgress({ certificates: files, policy: othersPolicy() });
  expect(await adit(['connect', ...session(stranger.port), 'web'])).toMatchObject({
    code: 4,
    stdout: '',
    stderr: expect.stringMatching(/^adit: [^\n]*\[IDENTITY_NOT_IN_POLICY\]\n$/),
  });
  expect(await adit(['connect', ...session(await closedPort()), '--connect-timeout', '200ms', 'web'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^adit: [^\n]*\[EGRESS_UNREACHABLE\]\n$/),
  });
  writeFileSync(join(files.folder, 'not-a-key'), 'x', { mode: 0o600 });
  expect(
    await adit([
      'connect',
      '--egress',
      `127.0.0.1:${stranger.port}`,
      '--cert',
      cert,
      '--key',
      join(files.folder, 'not-a-key'),
      '--ca',
      files.ca,
      'web',
    ]),
  ).toMatchObject({ code: 3, stderr: expect.stringMatching(/^adit: [^\n]*\[CREDENTIALS_UNUSABLE\]\n$/) });
});

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { AditProcess, adit, builtProgram, openPolicy, startEgress, startIngress } from '../support/adit.ts';
import { egressArguments, sessionArguments, tested } from '../support/arguments.ts';
import { certificates } from '../support/certificates.ts';
import { Child, run, succeed } from '../support/child.ts';
import { adapted, blocksOf, documented } from '../support/documented.ts';
import { longPattern } from '../support/long-pattern.ts';
import { find, scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { ask, client, closedPort, echo } from '../support/services.ts';
import { startNginx } from '../support/nginx.ts';

const files = certificates();
const { cert, key } = files.client('alice');
const session = (port: number): string[] => [...sessionArguments(files, { cert, key }, port), ...tested];
/** Becomes the program with the first connection to one of its sockets; says nothing by itself. */
const activated = (...listening: string[]) => ({
  prefix: [find('systemd-socket-activate')!, ...listening],
  env: { SYSTEMD_LOG_LEVEL: 'err' },
});

scenario(
  'an ingress serves a TCP port and a Unix socket that systemd opened, and starts with the first connection',
  ['systemd-socket-activate', 'curl', 'nginx'],
  async () => {
    const egress = await startEgress({ certificates: files });
    const [port, path] = [await closedPort(), join(temporaryFolder(), 's')];
    const echoes = await echo();
    const ingress = new AditProcess(
      ['ingress', '-L', `systemd:web:${echoes.at}`, '--socks', 'systemd:socks', ...session(egress.port)],
      activated('--fdname=web:socks', '-l', `127.0.0.1:${port}`, '-l', path),
    );

    expect(await askUntilThere(port, 'first')).toBe('first');
    expect(await ingress.event('listening', { address: `127.0.0.1:${port}` })).toMatchObject({
      forward: `systemd:web:${echoes.at}`,
    });
    expect(await ingress.event('listening', { address: 'systemd:socks' })).toMatchObject({ socks: 'systemd:socks' });
    expect(await ask(port, 'second')).toBe('second');
    const { http } = await startNginx();
    expect(
      (await succeed('curl', ['-sS', '--proxy', `socks5h://localhost${path}`, `http://${http}/hello`])).stdout,
    ).toContain('hello from nginx');
  },
);

/** systemd-socket-activate does not say when it listens. */
async function askUntilThere(port: number, question: string): Promise<string> {
  for (;;) {
    try {
      return await ask(port, question);
    } catch (error) {
      if (!/ECONNREFUSED/.test(String(error))) throw error;
    }
    await delay(10);
  }
}

scenario('an egress serves a port that systemd opened', ['systemd-socket-activate'], async () => {
  const port = await closedPort();
  const policy = join(files.folder, 'systemd.yaml');
  writeFileSync(policy, openPolicy);
  const egress = new AditProcess(
    ['egress', ...egressArguments(files, policy, 'systemd:adit'), ...tested],
    activated('--fdname=adit', '-l', `127.0.0.1:${port}`),
  );
  const echoes = await echo();
  const ingress = await startIngress({ certificates: files, egressPort: port, to: { echo: echoes.at } });

  expect(await ask(ingress.ports['echo']!, 'through it')).toBe('through it');
  expect(await egress.event('listening')).toMatchObject({ address: `127.0.0.1:${port}` });
});

scenario(
  'a client that connects while the ingress restarts waits, and the next ingress serves it',
  ['python3'],
  async () => {
    const egress = await startEgress({ certificates: files });
    const echoes = await echo();
    const holder = new Child('python3', [join(import.meta.dirname, '..', 'support', 'socket-holder.py'), 'web'], {
      listens: true,
    });
    const port = Number((await holder.line(/^(\d+)$/))[1]);
    const start = (): void =>
      holder.say(
        JSON.stringify([
          process.execPath,
          builtProgram(),
          'ingress',
          '-L',
          `systemd:web:${echoes.at}`,
          ...session(egress.port),
        ]),
      );

    start();

    expect(await ask(port, 'the first')).toBe('the first');
    process.kill(Number((await holder.line(/^started (\d+)$/))[1]), 'SIGTERM');
    await holder.line(/^ended 0$/);
    const waiting = await client(port); // no process is there: the kernel keeps it
    waiting.socket.end('the next');
    start();
    expect(String((await waiting.received).bytes)).toBe('the next');
    const started = holder.lines.flatMap((line) => /^started (\d+)$/.exec(line)?.[1] ?? []);
    process.kill(Number(started.at(-1)), 'SIGTERM');
    await holder.until('the end of the second', () =>
      holder.lines.filter((line) => line === 'ended 0').length === 2 ? true : undefined,
    );
  },
);

for (const [what, names, options, message] of [
  [
    'a name that no socket has',
    'web',
    ['-L', 'systemd:wbe:web'],
    /systemd:wbe is not there: systemd handed over "web"\. .*\[ACTIVATION_INVALID\]$/m,
  ],
  [
    'a socket that no option names',
    'web:admin',
    ['-L', 'systemd:web:web'],
    /systemd handed over "admin", and no option listens there, .*\[ACTIVATION_INVALID\]$/m,
  ],
  [
    'a socket that takes no connections',
    'web',
    ['-L', 'systemd:web:web'],
    longPattern(
      /Cannot listen on systemd:web: descriptor 3 is not a socket that accepts connections: /m,
      /.*ListenStream=.*\[LISTEN_FAILED\]$/,
    ),
  ],
] as const) {
  scenario(`${what} stops the start`, ['systemd-socket-activate'], async () => {
    const ports = await Promise.all(names.split(':').map(() => closedPort()));
    const datagram = what.includes('takes no connections') ? ['--datagram'] : [];
    const child = new Child(
      process.execPath,
      [builtProgram(), 'ingress', ...options, ...session(1)],
      activated(...datagram, `--fdname=${names}`, ...ports.flatMap((port) => ['-l', `127.0.0.1:${port}`])),
    );

    await touched(child, ports[0]!, datagram.length > 0);

    expect((await child.exit).code).toBe(datagram.length > 0 ? 1 : 2);
    expect(child.output).toMatch(message);
  });
}

/** Knocks until the program has been started and has ended. */
async function touched(child: Child, port: number, datagram: boolean): Promise<void> {
  while (child.running)
    await run('python3', [
      '-c',
      `import socket; s = socket.socket(socket.AF_INET, socket.${datagram ? 'SOCK_DGRAM' : 'SOCK_STREAM'}); ` +
        `s.connect_ex(("127.0.0.1", ${port})); ${datagram ? 's.send(b"x")' : 'pass'}`,
    ]);
}

scenario(
  'the name of a systemd socket stops a start without systemd; the reason says what is missing',
  [],
  async () => {
    const { code, stderr } = await adit(['ingress', '-L', 'systemd:web:web', ...session(1)]);

    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(
        longPattern(
          /^adit: systemd:web is not there: systemd handed over no sockets: /,
          /the service has to be started by its .socket unit, or with it\. .*\[ACTIVATION_INVALID\]\n$/,
        ),
      ),
    ]);
  },
);

scenario('systemd finds nothing wrong with the units of the page', ['systemd-analyze'], async () => {
  const folder = temporaryFolder();
  const units = blocksOf('systemd.md').filter(({ language }) => language === 'ini');
  const service = readFileSync(join(import.meta.dirname, '../../packaging/systemd/adit-egress.service'), 'utf8');
  const names = [
    ['adit-egress.socket', 'adit-egress.service'],
    ['adit-db.socket', 'adit-socks.socket', 'adit-ingress.service'],
  ];

  expect(units).toHaveLength(names.flat().length);
  for (const [at, group] of names.entries()) {
    mkdirSync(join(folder, String(at)));
    for (const name of group)
      writeFileSync(
        join(folder, String(at), name),
        ((name === 'adit-egress.service' ? service : '') + units[names.flat().indexOf(name)]!.text).replaceAll(
          '/usr/bin/adit',
          process.execPath,
        ),
      );
    const { code, stderr } = await run('systemd-analyze', [
      'verify',
      '--man=no',
      '--recursive-errors=no',
      ...group.map((name) => join(folder, String(at), name)),
    ]);
    expect([code, stderr.split('\n').filter((line) => line.includes(folder))]).toEqual([0, []]);
  }
});

scenario('the example of the page that needs no units works', ['systemd-socket-activate', 'sh'], async () => {
  const egress = await startEgress({
    certificates: files,
    policy: JSON.stringify({
      version: 1,
      services: { web: `tcp://${(await echo()).at}` },
      rules: [{ name: 'web', identities: ['alice'], allow: ['web'] }],
    }),
  });
  const config = join(temporaryFolder(), 'adit.yaml');
  writeFileSync(config, `egress: 127.0.0.1:${egress.port}\ncert: ${cert}\nkey: ${key}\nca: ${files.ca}\n`);
  const port = await closedPort();
  const line = adapted(documented('systemd.md', 'What is checked', 'sh').trim(), {
    '127.0.0.1:8080': `127.0.0.1:${port}`,
    ' adit ': ` ${process.execPath} ${builtProgram()} `,
    '~/.adit.yaml': config,
  });
  const child = new Child('sh', ['-c', `exec ${line}`]);

  expect(await askUntilThere(port, 'tried')).toBe('tried');
  expect((await child.stop()).code).toBe(0);
});

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, fstatSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { AditError } from '../errors.ts';
import { type ListenAddress, type Listener, listen } from './listen.ts';

const loopback: ListenAddress = { kind: 'tcp', host: '127.0.0.1', port: 0 };
let folder: string;
let open: Listener[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'adit-'));
});
afterEach(async () => {
  await Promise.all(open.map((listener) => listener.close()));
  open = [];
  rmSync(folder, { recursive: true, force: true });
});
async function opened(
  at: ListenAddress,
  onConnection: (socket: Socket) => void = (socket) => {
    socket.destroy();
  },
): Promise<Listener> {
  const listener = await listen(at, onConnection);
  open.push(listener);
  return listener;
}
async function complaint(at: ListenAddress): Promise<string> {
  const error: unknown = await opened(at).then(
    () => {
      throw new Error('listens');
    },
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(AditError);
  expect((error as AditError).code).toBe('LISTEN_FAILED');
  return (error as AditError).message;
}

describe('a TCP listener', () => {
  test('says the address it got, for IPv4 and IPv6', async () => {
    const listener = await opened(loopback);
    expect(listener.address).toBe(`127.0.0.1:${listener.port}`);
    expect(listener.port).toBeGreaterThan(0);
    expect(listener.descriptors.map((fd) => fstatSync(fd).isSocket())).toEqual([true]);
    expect((await opened({ ...loopback, host: '::1' })).address).toMatch(/^\[::1\]:\d+$/);
  });
  test('hands over sockets that are paused and stay half open', async () => {
    const received = new Promise<string>((resolve) => {
      void opened(loopback, (socket) => {
        expect(socket.isPaused()).toBe(true);
        socket.on('data', (chunk) => {
          resolve(String(chunk));
        });
        socket.on('end', () => {
          socket.end('after your end');
        });
        socket.resume();
      }).then(({ port }) => {
        const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
        client.end('before');
        client.on('data', (chunk) => {
          answered(String(chunk));
        });
      });
    });
    let answered: (text: string) => void = () => {};
    const answer = new Promise<string>((resolve) => {
      answered = resolve;
    });
    expect(await received).toBe('before');
    expect(await answer).toBe('after your end');
  });
  test('survives a peer that resets before the owner looks', async () => {
    let closed: () => void = () => {};
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const { port } = await opened(loopback, (socket) => {
      socket.on('close', closed);
      socket.resume();
    });
    const client = connect({ port, host: '127.0.0.1' });
    await once(client, 'connect');
    client.resetAndDestroy();
    await gone;
  });
  test('frees its address when closed, and leaves its connections', async () => {
    let server: Socket | undefined;
    const first = await listen(loopback, (socket) => {
      server = socket;
      socket.pipe(socket);
    });
    const client = connect({ port: first.port, host: '127.0.0.1' });
    client.write('still');
    await once(client, 'data');
    await first.close();
    await opened({ ...loopback, port: first.port });
    client.write('here');
    expect(String((await once(client, 'data'))[0])).toBe('here');
    client.destroy();
    server?.destroy();
  });
  test('may be closed twice', async () => {
    const listener = await listen(loopback, () => {});
    await listener.close();
    await listener.close();
  });
  test('says why it cannot', async () => {
    const { port } = await opened(loopback);
    expect(await complaint({ ...loopback, port })).toBe(
      `Cannot listen on 127.0.0.1:${port}: another program listens there.`,
    );
    expect(await complaint({ ...loopback, host: '192.0.2.1' })).toBe(
      'Cannot listen on 192.0.2.1:0: this machine has no such address.',
    );
    expect(await complaint({ ...loopback, host: 'nowhere.invalid' })).toBe(
      'Cannot listen on nowhere.invalid:0: the name does not resolve.',
    );
  });
});

describe('a Unix socket', () => {
  test('is for its owner only, whatever the umask, and goes with its listener', async () => {
    const path = join(folder, 'a.sock');
    const umask = process.umask(0);
    try {
      const listener = await listen({ kind: 'unix', path }, (socket) => {
        socket.end('hello');
      });
      expect(listener.address).toBe(path);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      const after = process.umask(0);
      expect(after).toBe(0);
      expect(String((await once(connect({ path }), 'data'))[0])).toBe('hello');
      await listener.close();
      expect(existsSync(path)).toBe(false);
    } finally {
      process.umask(umask);
    }
  });
  test('replaces one that a killed process left', async () => {
    const path = join(folder, 'stale.sock');
    spawnSync(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]);
    expect(statSync(path).isSocket()).toBe(true);
    expect((await opened({ kind: 'unix', path })).address).toBe(path);
  });
  test('never replaces one that answers', async () => {
    const path = join(folder, 'live.sock');
    await opened({ kind: 'unix', path }, (socket) => {
      socket.end('first');
    });
    expect(await complaint({ kind: 'unix', path })).toBe(`Cannot listen on ${path}: another program listens there.`);
    expect(String((await once(connect({ path }), 'data'))[0])).toBe('first');
  });
  test('never replaces a file, a folder or a link', async () => {
    writeFileSync(join(folder, 'file'), 'precious');
    mkdirSync(join(folder, 'dir'));
    symlinkSync('nowhere', join(folder, 'link'));
    for (const name of ['file', 'dir', 'link']) {
      expect(await complaint({ kind: 'unix', path: join(folder, name) })).toContain('exists and is not a socket');
      expect(existsSync(join(folder, name)) || name === 'link').toBe(true);
    }
  });
  test('says why it cannot', async () => {
    expect(await complaint({ kind: 'unix', path: join(folder, 'x'.repeat(110)) })).toContain('at most');
    expect(await complaint({ kind: 'unix', path: join(folder, 'absent', 'x.sock') })).toContain(
      'its folder does not exist',
    );
  });
});

test('a process that runs out of file descriptors says so and accepts again when it has some', async () => {
  const script = `
    import { listen } from ${JSON.stringify(join(import.meta.dirname, 'listen.ts'))};
    const held = [];
    const at = { kind: 'tcp', host: '127.0.0.1', port: 0 };
    const hold = socket => { held.push(socket); socket.write('x'); };
    const listener = await listen(at, hold, { onTrouble: sentence => console.log('trouble', sentence) });
    console.log('port', listener.port);
    process.stdin.on('data', () => { for (const socket of held.splice(0)) socket.destroy(); console.log('freed'); });`;
  const child = spawn(
    '/bin/sh',
    [
      '-c',
      'ulimit -n 64; exec "$0" "$@"',
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '-e',
      script,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const clients: Socket[] = [];
  try {
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const port = Number(String((await lines.next()).value).split(' ')[1]);
    for (let count = 0; count < 70; count++)
      clients.push(
        connect({ port, host: '127.0.0.1' })
          .on('error', () => {})
          .resume(),
      );
    expect((await lines.next()).value).toContain(
      `trouble 127.0.0.1:${port} loses connections: no file descriptors are left`,
    );
    child.stdin.write('free\n');
    expect((await lines.next()).value).toBe('freed');
    expect(String((await once(connect({ port, host: '127.0.0.1' }), 'data'))[0])).toBe('x');
  } finally {
    child.kill('SIGKILL');
    for (const client of clients) client.destroy();
  }
});

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from '@jest/globals';
import { atEnd, temporaryFolder } from '../../../../test/support/scope.ts';
import { unixDatagram, type UnixDatagram } from './unix-datagram.ts';

const onLinux = process.platform === 'linux' ? test : test.skip;

function loaded(): UnixDatagram {
  const datagram = unixDatagram();
  if ('missing' in datagram) throw new Error(datagram.missing);
  return datagram;
}

/** A receiver in Python, which has these sockets. */
async function receiver(path: string): Promise<{ next(): Promise<string> }> {
  const script =
    'import socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); p = sys.argv[1]\n' +
    's.bind("\\0" + p[1:] if p[0] == "@" else p); print("bound", flush=True)\n' +
    'while True: print(s.recv(65536).decode().replace("\\n", "|"), flush=True)';
  const child = spawn('python3', ['-c', script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  atEnd(async () => {
    child.kill();
    await once(child, 'exit');
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<string> => (await lines.next()).value as string;
  expect(await next()).toBe('bound');
  return { next };
}

onLinux('a datagram reaches a socket, by its path and by an abstract name', async () => {
  for (const path of [join(temporaryFolder(), 'notify'), `@adit-${randomUUID()}`]) {
    const { next } = await receiver(path);
    expect(loaded().send(path, Buffer.from('READY=1\nSTATUS=now'))).toEqual({ ok: true });
    expect(await next()).toBe('READY=1|STATUS=now');
  }
});

onLinux('what fails is an errno, and no descriptor stays open', () => {
  const open = (): number => readdirSync('/proc/self/fd').length;
  const datagram = loaded();
  const nowhere = join(temporaryFolder(), 'none');
  const before = open();
  for (let turn = 0; turn < 50; turn++)
    expect(datagram.send(nowhere, Buffer.from('x'))).toEqual({ ok: false, errno: 2 });
  expect(open()).toBeLessThan(before + 25);
});

onLinux('a path of 107 bytes is the longest', () => {
  const long = (bytes: number): string => `/${'x'.repeat(bytes - 1)}`;
  expect(loaded().send(long(107), Buffer.from('x'))).toEqual({ ok: false, errno: 2 });
  expect(loaded().send(long(108), Buffer.from('x'))).toEqual({ ok: false, errno: 36 });
});

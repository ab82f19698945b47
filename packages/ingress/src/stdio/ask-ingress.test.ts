import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { controlAccepted, controlReset } from '@adit/shared/protocol/control';
import { atEnd, temporaryFolder } from '../../../../test/support/scope.ts';
import { askIngress } from './ask-ingress.ts';

const web = { kind: 'service', service: 'web' } as const;
const never = new AbortController().signal;

/** An ingress that answers a request with these bytes. */
async function answering(answer: Uint8Array | undefined): Promise<string> {
  const path = join(temporaryFolder(), 'c');
  const server = net
    .createServer((socket) => {
      atEnd(() => socket.destroy());
      socket
        .on('error', () => {
          /* the client left */
        })
        .once('data', () => {
          if (answer) socket.write(answer);
          else socket.destroy();
        });
    })
    .listen(path);
  await once(server, 'listening');
  atEnd(() => server.close());
  return path;
}

test('no socket, or one that a killed ingress left behind, means that no ingress runs', async () => {
  const folder = temporaryFolder();
  expect(await askIngress(join(folder, 'absent'), web, never)).toBeUndefined();
  const path = join(folder, 'stale');
  const child = spawn(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
  ]);
  await once(child, 'exit');
  expect(await askIngress(path, web, never)).toBeUndefined();
});

test('a yes is a stream; a no is an error with the code and reason of the ingress', async () => {
  const stream = await askIngress(await answering(controlAccepted), web, never);
  expect(stream?.writable).toBe(true);
  stream?.destroy();
  await expect(
    askIngress(await answering(controlReset('POLICY_DENIED', 'alice may not')), web, never),
  ).rejects.toMatchObject({ code: 'POLICY_DENIED', message: 'alice may not', exitStatus: 4 });
  await expect(askIngress(await answering(controlReset('FROM_THE_FUTURE', 'x')), web, never)).rejects.toMatchObject({
    code: 'INTERNAL',
  });
});

test('a listener that closes, or that is not an ingress, is an error', async () => {
  await expect(askIngress(await answering(undefined), web, never)).rejects.toMatchObject({
    code: 'INGRESS_GONE',
    exitStatus: 1,
  });
  await expect(
    askIngress(await answering(Buffer.from('HTTP/1.1 400 Bad Request\r\n')), web, never),
  ).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
});

test('a file that is not a socket is refused', async () => {
  const path = join(temporaryFolder(), 'file');
  writeFileSync(path, '');
  await expect(askIngress(path, web, never)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/is not a socket$/),
  });
});

(process.getuid?.() === 0 ? test : test.skip)('a socket of somebody else is refused', async () => {
  const path = await answering(controlAccepted);
  chownSync(path, 12_345, 12_345);
  await expect(askIngress(path, web, never)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/belongs to another user \(12345\)/),
  });
});

test('an abort ends the wait for the answer', async () => {
  const stop = new AbortController();
  const asked = askIngress(await answering(new Uint8Array(0)), web, stop.signal);
  stop.abort();
  await expect(asked).rejects.toMatchObject({ code: 'INGRESS_GONE' });
});

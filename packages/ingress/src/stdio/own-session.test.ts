import { expect, test } from '@jest/globals';
import { AditError } from '@adit/shared/errors';
import { createLogger } from '@adit/shared/observe/logger';
import { text } from 'node:stream/consumers';
import { testEgress, type TestEgress } from '../../../../test/support/in-process.ts';
import { service } from '../../../../test/support/services.ts';
import { resolveStdioOptions, type StdioOptions } from './options.ts';
import { openSession } from './own-session.ts';

const log = createLogger({ level: 'error', format: 'json', name: 'connect', destination: { write: () => undefined } });

function optionsFor({ port, certs }: TestEgress, destination: string): StdioOptions {
  const { cert, key } = certs.client('alice');
  return resolveStdioOptions(destination, {
    flags: { egress: [`127.0.0.1:${port}`], cert: [cert], key: [key], ca: [certs.ca] },
    environment: {},
  });
}

test('a stream carries both directions, and is settled when the egress has everything', async () => {
  const egress = await testEgress();
  let bytes = 0;
  const answering = await service((socket) => {
    socket.on('data', (chunk: Buffer) => (bytes += chunk.length)).on('end', () => socket.end('answer'));
  });
  const { stream, settled, close } = await openSession(optionsFor(egress, answering.at), {
    log,
    signal: new AbortController().signal,
  });
  stream.end(Buffer.alloc(1 << 20));
  expect(await text(stream)).toBe('answer');
  await settled();
  close();
  expect(bytes).toBe(1 << 20);
});

test('a signal before the session is there ends the attempt', async () => {
  const egress = await testEgress();
  const stop = new AbortController();
  const opening = openSession(optionsFor(egress, '127.0.0.1:1'), { log, signal: stop.signal });
  stop.abort();
  const error: unknown = await opening.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(AditError);
});

test('options that do not suffice are refused with those that are missing', async () => {
  const options = resolveStdioOptions('db.internal:5432', { flags: { controlSocket: ['/absent'] }, environment: {} });
  await expect(openSession(options, { log, signal: new AbortController().signal })).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringMatching(/^no ingress answers at \/absent, and for a session of its own --egress/),
  });
});

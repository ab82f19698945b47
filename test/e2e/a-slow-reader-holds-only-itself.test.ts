import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { openTunnel } from '../support/adit.ts';
import { pattern, patternHash } from '../support/pattern.ts';
import { within } from '../support/scope.ts';
import { sha256OfStream } from '../support/sha256.ts';
import { ask, client, echo, service } from '../support/services.ts';

test('a client that does not read holds back only its own service, in bounded memory, and loses no byte', async () => {
  const megabytes = 256;
  let sent = 0;
  let stalled: () => void = () => {};
  const stall = new Promise<void>((resolve) => {
    stalled = resolve;
  });
  const source = await service((socket) => {
    void (async () => {
      for (const chunk of pattern(megabytes)) {
        sent += chunk.length;
        if (!socket.write(chunk)) {
          const timer = setTimeout(stalled, 1000);
          await once(socket, 'drain');
          clearTimeout(timer);
        }
      }
      socket.end();
    })().catch(() => {});
  });
  const echoes = await echo();
  const tunnel = await openTunnel({ to: { source: source.at, echo: echoes.at } });
  const { socket, received } = await client(tunnel.port('source'));
  received.catch(() => {});
  socket.removeAllListeners('data');
  socket.pause();

  await within(60_000, 'the source to be held back', stall);

  expect(sent).toBeLessThan(64 * 1024 * 1024);
  for (let round = 0; round < 20; round++) {
    expect(await ask(tunnel.port('echo'), 'x'.repeat(200_000))).toHaveLength(200_000);
  }
  for (const process of [tunnel.ingress.process, tunnel.egress.process])
    expect(await process.residentBytes()).toBeLessThan(250 * 1024 * 1024);
  const rest = sha256OfStream(socket);
  socket.resume();
  expect(await within(60_000, 'the rest', rest)).toBe(patternHash(megabytes));
});

test('a service that does not read holds back only its own client', async () => {
  const deaf = await service(() => {}, { pauseOnConnect: true });
  const echoes = await echo();
  const tunnel = await openTunnel({ to: { deaf: deaf.at, echo: echoes.at } });
  const { socket } = await client(tunnel.port('deaf'));
  let accepted = 0;

  for (const chunk of pattern(128))
    socket.write(chunk, () => {
      accepted += chunk.length;
    });

  for (let round = 0; round < 20; round++)
    expect(await ask(tunnel.port('echo'), 'x'.repeat(200_000))).toHaveLength(200_000);
  expect(accepted).toBeLessThan(64 * 1024 * 1024);
  for (const process of [tunnel.ingress.process, tunnel.egress.process])
    expect(await process.residentBytes()).toBeLessThan(250 * 1024 * 1024);
});

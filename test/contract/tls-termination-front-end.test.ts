import { once } from 'node:events';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { helloOf } from '../support/client-hello.ts';
import { testEgress } from '../support/in-process.ts';
import { testIngress, type TestIngress } from '../support/in-process-ingress.ts';
import { newServer } from '../support/issuer.ts';
import { within } from '../support/scope.ts';
import { chunkFrom, client, echo, service } from '../support/services.ts';
import { frontEndContract } from './front-end-contract.ts';
import { alertBytes, alerts, local, terminatingTo, tlsClient, tlsTermination } from './tls-dialects.ts';

frontEndContract({}, tlsTermination);

const [one, other, renewed] = ['one', 'other', 'renewed'].map((name) =>
  local.write(
    name,
    newServer(local.authority, { subject: name, dns: [name === 'other' ? '*.example.org' : 'one.example.com'] }),
  ),
);

async function ingressTo(
  port: number,
  pairs = [one!, other!] as Parameters<typeof terminatingTo>[1],
): Promise<TestIngress> {
  const egress = await testEgress();
  return await testIngress(egress, egress.certs.client('alice'), {
    to: '127.0.0.1:1',
    forwards: [],
    ...terminatingTo(port, pairs),
  });
}

/** Whose certificate a client sees that asks for this name. */
async function shown(ingress: TestIngress, servername: string): Promise<string> {
  const { socket } = await tlsClient(ingress.port, { servername, checkServerIdentity: () => undefined });
  const subject = String(socket.getPeerCertificate().subject.CN);
  socket.destroy();
  return subject;
}

test('a client sees the certificate of its name, or of the first pair when it names another or none', async () => {
  const ingress = await ingressTo((await echo()).port);
  expect([
    await shown(ingress, 'web.example.org'),
    await shown(ingress, 'one.example.com'),
    await shown(ingress, 'elsewhere.net'),
    await shown(ingress, ''),
  ]).toEqual(['other', 'one', 'one', 'one']);
});

test('a new certificate is shown to the next client, open connections stay; a broken one changes nothing', async () => {
  const live = { cert: join(local.folder, 'live.crt'), key: join(local.folder, 'live.key') };
  const put = (from: { readonly cert: string; readonly key: string }): void => {
    copyFileSync(from.cert, live.cert);
    copyFileSync(from.key, live.key);
  };
  put(one!);
  const ingress = await ingressTo((await echo()).port, [live]);
  const { socket } = await tlsClient(ingress.port, { servername: 'one.example.com' });
  put(renewed!);
  await ingress.until((line) => line.event === 'reloaded');
  expect(await shown(ingress, 'one.example.com')).toBe('renewed');
  writeFileSync(live.cert, 'nonsense');
  expect(await ingress.until((line) => line.event === 'reload-failed')).toMatchObject({
    code: 'CREDENTIALS_UNUSABLE',
    reason: expect.stringContaining(live.cert),
  });
  expect(await shown(ingress, 'one.example.com')).toBe('renewed');
  socket.write('still here');
  expect(String(await chunkFrom(socket))).toBe('still here');
});

test('a client that does not speak TLS gets an alert and no stream', async () => {
  const at = await echo();
  const ingress = await ingressTo(at.port);
  const { socket, received } = await client(ingress.port);
  socket.write('GET / HTTP/1.1\r\n\r\n');
  expect((await within(30_000, 'the alert', received)).bytes.toString('latin1')).toBe(
    alertBytes(alerts.unexpectedMessage),
  );
  expect(await ingress.until((line) => line.event === 'refused')).toMatchObject({ code: 'CLIENT_MALFORMED' });
  expect(at.sockets.size).toBe(0);
});

test('a client that breaks off its handshake is told apart from a served one; its service is released', async () => {
  const at = await echo();
  const ingress = await ingressTo(at.port);
  const { socket } = await client(ingress.port);
  socket.write(await helloOf('one.example.com'), 'latin1');
  await chunkFrom(socket);
  socket.end();
  expect(await ingress.until((line) => line.event === 'refused')).toMatchObject({
    code: 'CLIENT_TLS_FAILED',
    reason: expect.stringContaining('closed the connection in the TLS handshake'),
  });
  await at.idle();
});

test('a service that is gone before the handshake is done does not leave its client waiting', async () => {
  const at = await service((socket) => {
    socket.write('a service that speaks first');
  });
  const ingress = await ingressTo(at.port);
  const { socket, received } = await client(ingress.port);
  socket.write(await helloOf('one.example.com'), 'latin1');
  await chunkFrom(socket);
  for (const one of at.sockets) one.resetAndDestroy();
  expect(await within(30_000, 'the reset', received)).toMatchObject({ ending: 'reset' });
});

test('a reset of the client is a reset of the service', async () => {
  let ended: Promise<unknown> | undefined;
  const at = await service((socket) => {
    ended = once(socket.resume(), 'end');
  });
  const ingress = await ingressTo(at.port);
  const { port } = ingress;
  const transport = (await client(port)).socket;
  const { socket } = await tlsClient(port, { servername: 'one.example.com', socket: transport });
  socket.write('x');
  await ingress.until(() => ended !== undefined);
  transport.resetAndDestroy();
  await expect(within(30_000, 'the reset', ended!)).rejects.toMatchObject({ code: 'ECONNRESET' });
});

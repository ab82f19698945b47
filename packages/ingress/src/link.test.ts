import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from '@jest/globals';
import { ask, chunkFrom, client, echo } from '../../../test/support/services.ts';
import { certificates } from '../../../test/support/certificates.ts';
import { newCa, newClient } from '../../../test/support/issuer.ts';
import { testEgress } from '../../../test/support/in-process.ts';
import { testIngress } from '../../../test/support/in-process-ingress.ts';
import { atEnd, within } from '../../../test/support/scope.ts';

/** A path whose connections can be cut. */
async function cuttable(to: number): Promise<{ port: number; cut(): void }> {
  const pairs = new Set<net.Socket>();
  const server = net.createServer((near) => {
    const far = net.connect(to, '127.0.0.1');
    for (const [one, other] of [[near, far], [far, near]] as const) {
      pairs.add(one);
      one.on('error', () => other.destroy()).on('close', () => { pairs.delete(one); other.destroy(); });
      one.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => { for (const socket of pairs) socket.resetAndDestroy(); };
  atEnd(() => { server.close(); cut(); });
  return { port: (server.address() as net.AddressInfo).port, cut };
}

test('connections live through three cuts of the path, byte for byte', async () => {
  const egress = await testEgress();
  const path = await cuttable(egress.port);
  const ingress = await testIngress({ ...egress, port: path.port }, egress.certs.client('alice'), { to: (await echo()).at });
  const { socket } = await client(ingress.port);
  for (const round of [1, 2, 3]) {
    socket.write(`round ${round}`);
    expect(String(await chunkFrom(socket))).toBe(`round ${round}`);
    path.cut();
    await ingress.until((line) => line.event === 'detached');
  }
  socket.write('still here');
  expect(String(await chunkFrom(socket))).toBe('still here');
});

test('an egress that forgot the session is told apart: connections are reset, new ones work', async () => {
  const first = await testEgress();
  const path = await cuttable(first.port);
  let target = first.port;
  const switching = net.createServer((near) => { const far = net.connect(target, '127.0.0.1'); near.pipe(far).pipe(near); near.on('error', () => far.destroy()).on('close', () => far.destroy()); far.on('error', () => near.destroy()).on('close', () => near.destroy()); });
  switching.listen(0, '127.0.0.1');
  await once(switching, 'listening');
  atEnd(() => { switching.close(); });
  void path;
  const ingress = await testIngress({ port: (switching.address() as net.AddressInfo).port, certs: first.certs }, first.certs.client('alice'), { to: (await echo()).at });
  const { socket, received } = await client(ingress.port);
  socket.write('x');
  await chunkFrom(socket);
  const second = await testEgress({ certs: first.certs });
  target = second.port;
  for (const line of first.lines.filter(({ event }) => event === 'connected')) expect(line['resumed']).toBe(false);
  first.server.close(); // without a drain: as if it had been killed, but for the CLOSE
  expect((await within(10_000, 'the reset', received)).ending).toBe('reset');
  expect(await ask(ingress.port, 'again')).toBe('again');
});

test('a refusal that is final ends the link with its code', async () => {
  const egress = await testEgress();
  const stranger = egress.certs.write('stranger', newClient(newCa('Other'), { subject: 'alice', uris: ['spiffe://example.org/client/alice'] }));
  const ingress = await testIngress(egress, stranger, { to: '127.0.0.1:1' });
  expect(await ingress.running).toMatchObject({ code: 'CLIENT_CERT_UNKNOWN_CA', exitStatus: 4 });
});

test('an egress that cannot be trusted is never spoken to, and tried again', async () => {
  const egress = await testEgress();
  const others = certificates();
  const ingress = await testIngress({ port: egress.port, certs: others }, others.client('alice'), { to: '127.0.0.1:1' });
  expect(await ingress.until((line) => line.event === 'retrying')).toMatchObject({ code: 'EGRESS_CERT_INVALID' });
  expect(egress.lines.some(({ event }) => event === 'connected')).toBe(false);
});

test('a name that the certificate does not cover is said as such', async () => {
  const egress = await testEgress();
  const ingress = await testIngress(egress, egress.certs.client('alice'), { to: '127.0.0.1:1', serverName: 'elsewhere.example.org' });
  expect(await ingress.until((line) => line.event === 'retrying')).toMatchObject({ code: 'EGRESS_CERT_INVALID', reason: expect.stringContaining('elsewhere.example.org') });
});

test('when the egress drains, what is open finishes there and what is new goes to a new session', async () => {
  const first = await testEgress();
  const second = await testEgress({ certs: first.certs });
  let target = first.port;
  const front = net.createServer((near) => { const far = net.connect(target, '127.0.0.1'); near.pipe(far).pipe(near); near.on('error', () => far.destroy()).on('close', () => far.destroy()); far.on('error', () => near.destroy()).on('close', () => near.destroy()); });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  atEnd(() => { front.close(); });
  const ingress = await testIngress({ port: (front.address() as net.AddressInfo).port, certs: first.certs }, first.certs.client('alice'), { to: (await echo()).at });
  const { socket } = await client(ingress.port);
  socket.write('open');
  await chunkFrom(socket);
  target = second.port;
  const drained = first.server.drain(new AbortController().signal);
  await second.until((line) => line.event === 'connected');
  expect(await ask(ingress.port, 'new')).toBe('new');
  socket.write('old');
  expect(String(await chunkFrom(socket))).toBe('old');
  socket.end();
  await within(5_000, 'the drain', drained);
});

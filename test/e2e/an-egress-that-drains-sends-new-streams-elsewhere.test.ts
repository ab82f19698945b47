import { expect, test } from '@jest/globals';
import { startEgress, startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { chaos } from '../support/chaos.ts';
import { within } from '../support/scope.ts';
import { ask, chunkFrom, client, echo } from '../support/services.ts';

async function setUp() {
  const files = certificates();
  const echoes = await echo();
  const first = await startEgress({ certificates: files, flags: ['--drain-timeout', '60s'] });
  const second = await startEgress({ certificates: files });
  const network = await chaos(first.port);
  const ingress = await startIngress({
    certificates: files,
    egressPort: network.port,
    to: { echo: echoes.at },
    flags: ['--egress', `127.0.0.1:${second.port}`],
  });
  const told = (port: number) => ingress.process.event('connected', { egress: `127.0.0.1:${port}` });
  await Promise.all([told(network.port), told(second.port)]);
  const open = await client(ingress.ports['echo']!);
  open.socket.write('hello');
  expect(String(await chunkFrom(open.socket))).toBe('hello');
  return { first, second, network, ingress, open, port: ingress.ports['echo']! };
}

test('what is open finishes where it is, what is new goes to the other egress at once', async () => {
  const { first, second, ingress, open, port } = await setUp();
  first.process.signal('SIGTERM');
  await ingress.process.event('draining');
  for (let n = 0; n < 10; n++) expect(await ask(port, 'new')).toBe('new');
  await second.process.event('stream', {}, { nth: 10 });
  open.socket.end('the end');
  expect(await within(30_000, 'the rest', open.received)).toMatchObject({ ending: 'end' });
  await first.process.ends(0);
  expect(first.process.all('stream').map(({ end }) => end)).toEqual(['finished']);
});
test('a connection that breaks while its egress drains is reset at once: it cannot be resumed there', async () => {
  const { first, network, ingress, open, port } = await setUp();
  first.process.signal('SIGTERM');
  await ingress.process.event('draining');
  network.cut();
  expect((await within(30_000, 'the reset', open.received)).ending).toBe('reset');
  expect(await ask(port, 'new')).toBe('new');
  await first.process.ends(0);
});

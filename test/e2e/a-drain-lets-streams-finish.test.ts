import { expect, test } from '@jest/globals';
import { openTunnel } from '../support/adit.ts';
import { chunkFrom, client, echo } from '../support/services.ts';

test.each(['egress', 'ingress'] as const)(
  'the %s on SIGTERM takes nothing new, lets an open stream finish, and exits 0 at once when it has',
  async (side) => {
    const echoes = await echo();
    const tunnel = await openTunnel({ to: { echo: echoes.at }, [side]: { flags: ['--drain-timeout', '60s'] } });
    const open = await client(tunnel.port('echo'));
    open.socket.write('before');
    await chunkFrom(open.socket);
    const { process } = tunnel[side];
    process.signal('SIGTERM');
    await process.event('draining');
    if (side === 'ingress') await expect(client(tunnel.port('echo'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    open.socket.write(' and after');
    expect(String(await chunkFrom(open.socket))).toBe(' and after');
    expect(process.running).toBe(true);
    const started = performance.now();
    open.socket.end();
    expect(await open.received).toEqual({ bytes: Buffer.from('before and after'), ending: 'end' });
    await process.ends(0);
    expect(performance.now() - started).toBeLessThan(30_000);
  },
);
test.each(['egress', 'ingress'] as const)('the %s resets what does not finish within --drain-timeout', async (side) => {
  const echoes = await echo();
  const tunnel = await openTunnel({ to: { echo: echoes.at }, [side]: { flags: ['--drain-timeout', '300ms'] } });
  const open = await client(tunnel.port('echo'));
  open.socket.write('x');
  await chunkFrom(open.socket);
  tunnel[side].process.signal('SIGTERM');
  expect((await open.received).ending).toBe('reset');
  await tunnel[side].process.ends(0);
});
test('a second SIGTERM cuts the drain short', async () => {
  const echoes = await echo();
  const tunnel = await openTunnel({ to: { echo: echoes.at }, egress: { flags: ['--drain-timeout', '60s'] } });
  const open = await client(tunnel.port('echo'));
  open.socket.write('x');
  await chunkFrom(open.socket);
  tunnel.egress.process.signal('SIGTERM');
  await tunnel.egress.process.event('draining');
  tunnel.egress.process.signal('SIGTERM');
  expect((await open.received).ending).toBe('reset');
  await tunnel.egress.process.ends(0);
});

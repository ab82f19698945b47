import { expect, test } from '@jest/globals';
import { openTunnel } from '../support/adit.ts';
import { converse } from '../support/conversation.ts';
import { client, echo } from '../support/services.ts';

test.each(['egress', 'ingress'] as const)(
  'the %s on SIGTERM takes nothing new, lets an open stream finish, and exits 0 at once when it has',
  async (side) => {
    const echoes = await echo();
    const tunnel = await openTunnel({ to: { echo: echoes.at }, [side]: { flags: ['--drain-timeout', '60s'] } });
    const open = await converse(tunnel.port('echo'), 'before');
    const { process } = tunnel[side];

    process.signal('SIGTERM');
    await process.event('draining');

    if (side === 'ingress') await expect(client(tunnel.port('echo'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await open.echoes(' and after');
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
  const open = await converse(tunnel.port('echo'));
  tunnel[side].process.signal('SIGTERM');
  expect((await open.received).ending).toBe('reset');
  await tunnel[side].process.ends(0);
});

test('a second SIGTERM cuts the drain short', async () => {
  const echoes = await echo();
  const tunnel = await openTunnel({ to: { echo: echoes.at }, egress: { flags: ['--drain-timeout', '60s'] } });
  const open = await converse(tunnel.port('echo'));

  tunnel.egress.process.signal('SIGTERM');
  await tunnel.egress.process.event('draining');
  tunnel.egress.process.signal('SIGTERM');

  expect((await open.received).ending).toBe('reset');
  await tunnel.egress.process.ends(0);
});

import { expect, test } from '@jest/globals';
import { openTunnel } from '../support/adit.ts';
import { ask, client, echo } from '../support/services.ts';

test.each(['ingress', 'egress'] as const)(
  'an %s that runs out of descriptors says so, keeps what it has, and serves again',
  async (side) => {
    const echoes = await echo();
    const tunnel = await openTunnel({ to: { echo: echoes.at }, [side]: { process: { maxFiles: 80 } } });
    const port = tunnel.port('echo');
    const first = await client(port);
    const many = await Promise.all(Array.from({ length: 120 }, () => client(port)));

    for (const { socket } of many) socket.write('x');
    if (side === 'ingress') await tunnel.ingress.process.event('failed', { reason: /file descriptors/ });
    else await tunnel.egress.process.event('stream', (line) => line['code'] !== undefined);
    first.socket.end('the first one still works');

    expect(String((await first.received).bytes)).toBe('the first one still works');
    for (const { socket } of many) socket.destroy();
    await echoes.idle();
    expect(await ask(port, 'and so does a new one')).toBe('and so does a new one');
  },
);

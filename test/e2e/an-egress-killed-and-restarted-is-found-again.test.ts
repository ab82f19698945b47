import { expect, test } from '@jest/globals';
import { openTunnel, startEgress } from '../support/adit.ts';
import { converse } from '../support/conversation.ts';
import { ask, closedPort, echo } from '../support/services.ts';

test(
  'open connections are reset, never ended; the ingress finds the new egress by itself and serves the ' +
    'connections that waited',
  async () => {
    const echoes = await echo();
    const tunnel = await openTunnel({
      to: { echo: echoes.at },
      egress: { port: await closedPort() },
      ingress: { flags: ['--connect-timeout', '60s'] },
    });
    const port = tunnel.port('echo');
    const open = await converse(port, 'before');

    await tunnel.egress.process.kill();
    await tunnel.ingress.process.event('retrying');
    const waiting = ask(port, 'asked while nobody was there');
    const reborn = await startEgress({ certificates: tunnel.certificates, port: tunnel.egress.port });
    expect(await waiting).toBe('asked while nobody was there');
    expect(await open.received).toMatchObject({ ending: 'reset' });
    expect(await ask(port, 'after')).toBe('after');
    await reborn.process.event('connected', { resumed: false });
    await tunnel.ingress.process.event('connected', {}, { nth: 2 });
  },
);

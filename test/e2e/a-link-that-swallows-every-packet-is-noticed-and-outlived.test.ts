import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { Child } from '../support/child.ts';
import { openLinkedTunnel } from '../support/linked-tunnel.ts';
import { namespaces } from '../support/netns.ts';
import { scenario } from '../support/scenario.ts';

/** The interface stays up: the ingress asks after 10 s without a byte and waits 3 s, and what it dials then hangs. */
const silenceMs = process.env['FULL'] === '1' ? 60_000 : 20_000;
const lines = silenceMs / 500 + 20;

scenario(
  'a running ssh command survives a link that swallows every packet; the session resumes soon after',
  [...namespaces, 'sshd', 'ssh', 'ssh-keygen'],
  async () => {
    const { link, sshd, ingress, egress, port } = await openLinkedTunnel();
    const ssh = new Child(
      'ssh',
      [
        ...sshd.options,
        '-p',
        port,
        `${sshd.user}@127.0.0.1`,
        `for n in $(seq 1 ${lines}); do echo $n; sleep 0.5; done`,
      ],
      { prefix: link.near.prefix },
    );

    await ssh.line(/^4$/);
    await link.set('down');
    await Promise.all([delay(silenceMs), ingress.process.event('detached', { reason: /PING/ })]);
    await link.set('up');
    await ingress.process.event('connected', { resumed: true });

    expect((await ssh.exit).code).toBe(0);
    expect(ssh.lines).toEqual(Array.from({ length: lines }, (_, n) => String(n + 1)));
    expect(ingress.process.all('connected', { resumed: false })).toHaveLength(1);
    expect(egress.process.all('disconnected')).toEqual([]);
  },
);

/**
 * A tunnel between two hosts with a bad link: egress and sshd on the far one, ingress on the near one, connected.
 * Rule: 40 ms each way and 1% of all packets lost, each way, at 100 Mbit/s; the near host begins as 10.1.0.2, the far
 * one is 10.0.0.1.
 */
import { type Egress, type Ingress, startEgress, startIngress } from './adit.ts';
import { certificates } from './certificates.ts';
import { newServer } from './issuer.ts';
import { type Link, openLink } from './netns.ts';
import { type Sshd, startSshd } from './sshd.ts';

export interface LinkedTunnel {
  readonly link: Link;
  readonly sshd: Sshd;
  readonly egress: Egress;
  readonly ingress: Ingress;
  /** The sshd, as clients on the near host reach it: on this port of 127.0.0.1. */
  readonly port: string;
}

const far = '10.0.0.1';

export async function openLinkedTunnel(): Promise<LinkedTunnel> {
  const link = await openLink({ delayMs: 40, lossPercent: 1, megabitsPerSecond: 100 });
  await Promise.all([link.near.up('10.1.0.2/24'), link.far.up(`${far}/24`)]);
  const files = certificates();
  files.write('edge', newServer(files.authority, { dns: [far] }));
  const sshd = await startSshd({ prefix: link.far.prefix });
  const egress = await startEgress({ certificates: files, host: far, process: { prefix: link.far.prefix } });
  const ingress = await startIngress({
    certificates: files,
    egressPort: egress.port,
    egress: `${far}:${egress.port}`,
    to: { ssh: sshd.at },
    process: { prefix: link.near.prefix },
  });
  await ingress.process.event('connected');
  return { link, sshd, egress, ingress, port: String(ingress.ports['ssh']) };
}

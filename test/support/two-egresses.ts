/**
 * An ingress that is connected to two egresses, the first of them over a network that can be cut.
 * Rule: the forward is `echo`; a connection of a client is open, over the first.
 */
import { type Egress, startEgress } from './adit.ts';
import { certificates } from './certificates.ts';
import { type Conversation, converse } from './conversation.ts';
import { type CuttableTunnel, openCuttableTunnel } from './cuttable-tunnel.ts';
import { echo } from './services.ts';

export interface TwoEgresses extends Pick<CuttableTunnel, 'ingress' | 'network'> {
  readonly first: Egress;
  readonly second: Egress;
  readonly open: Conversation;
  readonly echoPort: number;
}

export async function openTwoEgresses({
  firstFlags = [],
  ingressFlags = [],
}: { readonly firstFlags?: readonly string[]; readonly ingressFlags?: readonly string[] } = {}): Promise<TwoEgresses> {
  const files = certificates();
  const second = await startEgress({ certificates: files });
  const { egress, ingress, network, port } = await openCuttableTunnel({
    to: { echo: (await echo()).at },
    egress: { certificates: files, flags: firstFlags },
    ingress: { flags: ['--egress', `127.0.0.1:${second.port}`, ...ingressFlags] },
  });
  await Promise.all(
    [network.port, second.port].map((of) => ingress.process.event('connected', { egress: `127.0.0.1:${of}` })),
  );
  const echoPort = port('echo');
  return { first: egress, second, ingress, network, open: await converse(echoPort), echoPort };
}

/**
 * A tunnel over a network that can be cut: ingress, chaos, egress, connected.
 * Rule: the ingress knows only the port of the chaos.
 */
import { type EgressOptions, type IngressOptions, type Tunnel, connectIngress, startEgress } from './adit.ts';
import { certificates } from './certificates.ts';
import { type Chaos, type ChaosOptions, chaos } from './chaos.ts';

export interface CuttableTunnel extends Tunnel {
  readonly network: Chaos;
}

export interface CuttableTunnelOptions {
  readonly to: Readonly<Record<string, string>>;
  readonly policy?: string;
  readonly network?: ChaosOptions;
  readonly egress?: Partial<EgressOptions>;
  readonly ingress?: Partial<IngressOptions>;
  /** How the ingress names the egress on this port of 127.0.0.1; default 127.0.0.1:PORT. */
  readonly egressAt?: (port: number) => string;
}

export async function openCuttableTunnel({
  to,
  policy,
  network: networkOptions = {},
  egress: egressOptions = {},
  ingress: ingressOptions = {},
  egressAt,
}: CuttableTunnelOptions): Promise<CuttableTunnel> {
  const files = egressOptions.certificates ?? certificates();
  const egress = await startEgress({ certificates: files, ...(policy !== undefined && { policy }), ...egressOptions });
  const network = await chaos(egress.port, networkOptions);
  const tunnel = await connectIngress(egress, {
    certificates: files,
    egressPort: network.port,
    to,
    ...(egressAt && { egress: egressAt(network.port) }),
    ...ingressOptions,
  });
  return { ...tunnel, network };
}

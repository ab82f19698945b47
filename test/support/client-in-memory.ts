/** Clients of an egress without sockets: who they are, and the place where they are kept. */
import { X509Certificate } from 'node:crypto';
import type { PeerIdentity } from '@adit/shared/identity/peer';
import type { Logger } from '@adit/shared/observe/logger';
import { loadDestinationTls } from '../../packages/egress/src/backend/service-tls.ts';
import { Services } from '../../packages/egress/src/backend/services.ts';
import { Clients } from '../../packages/egress/src/clients/clients.ts';
import { WaitingBytes } from '../../packages/egress/src/limits/waiting.ts';
import { Limits } from '../../packages/egress/src/limits/limits.ts';
import { Policy } from '../../packages/egress/src/policy/policy.ts';
import { allowLoopback } from './in-process.ts';
import { newCa, newClient } from './issuer.ts';

/** Who a certificate of alice would prove. */
export function aliceInMemory(): PeerIdentity {
  const leaf = new X509Certificate(newClient(newCa('Example CA'), { subject: 'alice' }).certPem);
  return {
    name: 'alice',
    uri: 'spiffe://example.org/client/alice',
    trustDomain: 'example.org',
    groups: [],
    serial: '01',
    notAfter: leaf.validToDate,
    fingerprint256: leaf.fingerprint256,
    leaf,
  };
}

/** With limits that are far away. */
export function clientsInMemory(log: Logger): { readonly clients: Clients; readonly limits: Limits } {
  const policy = Policy.parse(allowLoopback, 'policy.yaml');
  const limits = new Limits({
    maxStreams: 1_000,
    maxStreamsPerIdentity: 1_000,
    maxSessionsPerIdentity: 1_000,
    maxFailedStreamsPerIdentity: 1_000,
  });
  const services = new Services({
    log,
    destinationTls: () => loadDestinationTls({}),
    permitProbe: (service, backend, address) => policy.decideProbe(service, backend, address),
  });
  const clients = new Clients({
    peers: () => ({ now: new Date() }),
    policy: () => policy,
    draining: () => false,
    limits,
    waiting: new WaitingBytes(1 << 28),
    services,
    dialTimeoutMs: 1_000,
    idleTimeoutMs: 0,
    log,
    record: () => {},
  });
  return { clients, limits };
}

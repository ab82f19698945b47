/** A pair of connected TLS carriers over loopback, directly or through a proxy. */
import { once } from 'node:events';
import type net from 'node:net';
import tls from 'node:tls';
import type { Proxy } from '@adit/shared/carrier/route';
import { dialTls, serverOptions } from '@adit/shared/carrier/tls';
import { loadCredentials } from '@adit/shared/identity/credentials';
import { loadTrustAnchors } from '@adit/shared/identity/trust';
import type { Certificates } from './certificates.ts';
import { atEnd } from './scope.ts';
import { tlsCarrier } from './tls-carrier.ts';
import type { CarrierPair } from './tunnel.ts';

/** Makes pairs, one after the other. */
export async function tlsPairs(
  certs: Certificates,
): Promise<(changes?: { readonly proxy?: Proxy }) => Promise<CarrierPair>> {
  const alice = certs.client('alice');
  const ca = loadTrustAnchors(certs.ca);
  const server = tls
    .createServer(
      serverOptions(loadCredentials({ cert: certs.egress.cert, key: certs.egress.key, role: 'egress' }), ca),
    )
    .listen(0, '127.0.0.1');
  atEnd(() => {
    server.close();
  });
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  return async (changes = {}) => {
    const accepting = once(server, 'secureConnection') as Promise<[tls.TLSSocket]>;
    const client = await dialTls({
      host: '127.0.0.1',
      port,
      serverName: '127.0.0.1',
      credentials: loadCredentials({ cert: alice.cert, key: alice.key, role: 'client' }),
      ca,
      deadlineMs: 30_000,
      signal: new AbortController().signal,
      ...changes,
    });
    const [socket] = await accepting;
    socket.on('error', () => {
      /* told by close */
    });
    socket.allowHalfOpen = true;
    return { client, server: tlsCarrier(socket, 'client') };
  };
}

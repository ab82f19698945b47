import { once } from 'node:events';
import type net from 'node:net';
import tls from 'node:tls';
import { dialTls, loadCredentials, loadTrustAnchors, serverOptions, tlsCarrier } from '@adit/shared';
import { certificates } from '../support/certificates.ts';
import { atEnd } from '../support/scope.ts';
import type { CarrierPair } from '../support/tunnel.ts';
import { carrierContract } from './carrier-contract.ts';

const certs = certificates();
const alice = certs.client('alice');
const ca = loadTrustAnchors(certs.ca);
const server = tls.createServer(serverOptions(loadCredentials({ cert: certs.egress.cert, key: certs.egress.key, role: 'egress' }), ca)).listen(0, '127.0.0.1');
atEnd(() => { server.close(); });

async function pair(): Promise<CarrierPair> {
  if (!server.listening) await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const accepting = once(server, 'secureConnection') as Promise<[tls.TLSSocket]>;
  const client = await dialTls({ host: '127.0.0.1', port, serverName: '127.0.0.1', credentials: loadCredentials({ cert: alice.cert, key: alice.key, role: 'client' }), ca, deadlineMs: 30_000, signal: new AbortController().signal });
  const [socket] = await accepting;
  socket.on('error', () => { /* told by close */ });
  socket.allowHalfOpen = true;
  return { client, server: tlsCarrier(socket, 'client') };
}

carrierContract('TLS', pair);

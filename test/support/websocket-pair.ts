/**
 * A pair of connected WebSocket carriers over loopback, in both forms: what ends the TLS is a server of the test's own,
 * or a real program.
 */
import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import type { Carrier } from '@adit/shared/carrier/contract';
import { acceptInnerTls } from '@adit/shared/carrier/inner-tls';
import { carrierOf, serverOptions } from '@adit/shared/carrier/tls';
import { dialWebSocket, type DialWebSocketOptions, type WebSocketForm } from '@adit/shared/carrier/websocket';
import { acceptUpgrade } from '@adit/shared/carrier/websocket-server';
import { loadCredentials } from '@adit/shared/identity/credentials';
import { loadTrustAnchors } from '@adit/shared/identity/trust';
import type { Certificates } from './certificates.ts';
import { frontOf, type Front } from './intermediary.ts';
import { newCa, newServer } from './issuer.ts';
import { atEnd } from './scope.ts';
import type { CarrierPair } from './tunnel.ts';

export interface WebSocketPairs {
  readonly port: number;
  pair(changes?: Partial<DialWebSocketOptions>): Promise<CarrierPair>;
}

export interface PairOptions {
  /** Of the test's own server that ends the TLS. */
  readonly frontTls?: tls.TlsOptions;
  /** Starts a program that ends the TLS instead, and says on which port of 127.0.0.1 it is. */
  readonly through?: (front: Front) => Promise<number>;
}

/**
 * `form` websocket: the server is the egress itself; websocket+tls: its certificate is of a public CA, and the egress
 * is behind it.
 */
export async function webSocketPairs(
  certs: Certificates,
  form: WebSocketForm,
  { frontTls = {}, through }: PairOptions = {},
): Promise<WebSocketPairs> {
  const publicCa = newCa('Public');
  const front = certs.write('front', newServer(publicCa));
  const outerCa = certs.write('public-ca', publicCa);
  const egress = serverOptions(
    loadCredentials({ cert: certs.egress.cert, key: certs.egress.key, role: 'egress' }),
    loadTrustAnchors(certs.ca),
  );
  const server = tls.createServer(
    form === 'websocket'
      ? { ...egress, ALPNProtocols: ['http/1.1'] }
      : { cert: readFileSync(front.cert), key: readFileSync(front.key), ALPNProtocols: ['http/1.1'], ...frontTls },
  );
  const accepted: ((carrier: Carrier) => void)[] = [];
  const web = http.createServer().on('upgrade', (request, socket, head) =>
    acceptUpgrade({ request, socket, head }, (duplex) => {
      const give = (proof: tls.TLSSocket, carried = form): void =>
        accepted.shift()!(
          carrierOf({ kind: carried, duplex: form === 'websocket' ? duplex : proof, proof, remote: 'client' }),
        );
      if (form === 'websocket') give(socket as tls.TLSSocket);
      else
        void acceptInnerTls(duplex, egress, 5_000).then(
          (proof) => {
            proof.allowHalfOpen = true;
            give(proof);
          },
          () => duplex.destroy(),
        );
    }),
  );
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {
      /* told by close */
    });
    web.emit('connection', socket);
  });
  const listener = through ? web : server;
  listener.listen(0, '127.0.0.1');
  atEnd(() => {
    listener.close();
  });
  await once(listener, 'listening');
  const listening = (listener.address() as net.AddressInfo).port;
  const port = through ? await through(frontOf(front, `127.0.0.1:${listening}`)) : listening;
  const alice = certs.client('alice');
  return {
    port,
    async pair(changes = {}) {
      const accepting = new Promise<Carrier>((resolve) => accepted.push(resolve));
      const client = await dialWebSocket({
        host: '127.0.0.1',
        port,
        path: '/adit',
        headers: {},
        serverName: '127.0.0.1',
        credentials: loadCredentials({ cert: alice.cert, key: alice.key, role: 'client' }),
        ca: loadTrustAnchors(certs.ca),
        outerCa: loadTrustAnchors(outerCa.cert),
        deadlineMs: 30_000,
        signal: new AbortController().signal,
        ...changes,
      });
      return { client, server: await accepting };
    },
  };
}

/** The ways of a TLS client, as bytes in latin1. */
import { connect as connectTcp } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { parseSniRoute, type SniRoute } from '@adit/shared/config/values/sni-route';
import type { IngressOptions } from '@adit/ingress';
import { certificates, type KeyPair } from '../support/certificates.ts';
import { helloOf } from '../support/client-hello.ts';
import { newServer } from '../support/issuer.ts';
import { within } from '../support/scope.ts';
import { type Client, watched } from '../support/services.ts';
import type { Dialect } from './front-end-contract.ts';

export const alertBytes = (description: number): string =>
  `\x15\x03\x03\x00\x02\x02${String.fromCharCode(description)}`;
export const alerts = {
  unexpectedMessage: 10,
  accessDenied: 49,
  decodeError: 50,
  internalError: 80,
  missingExtension: 109,
  unrecognizedName: 112,
} as const;

export function sniRoutes(...texts: readonly string[]): SniRoute[] {
  return texts.map((text) => {
    const route = parseSniRoute(text);
    if (!route.ok) throw new Error(`${text}: ${route.reason}`);
    return route.value;
  });
}

const hello = await helloOf('web.example.com');

/** The same bytes whatever the port: the route leads there. */
export const sniPassthrough: Dialect = {
  name: 'a TLS client that asks for a name',
  frontEnd: 'sni',
  request: () => hello,
  forwarded: hello,
  accepted: '',
  options: (port) => ({ sniRoutes: sniRoutes(`*.example.com=127.0.0.1:${port}`) }),
  refused: (why) => alertBytes(why === 'denied' ? alerts.accessDenied : alerts.internalError),
};

/** Of the CA that `tlsClient` believes. */
export const local = certificates();
const pair = local.write('local', newServer(local.authority, { dns: ['web.example.com'] }));

/** A TLS connection that is up, of a client that believes the CA of `certificates`. */
export async function tlsClient(
  port: number,
  options: Partial<ConnectionOptions> = {},
): Promise<Client & { readonly socket: TLSSocket }> {
  const transport = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const socket = connect({
    socket: transport,
    ca: [local.authority.certPem],
    servername: 'web.example.com',
    ...options,
  });
  const { received } = watched(socket);
  await within(
    30_000,
    `a TLS handshake with ${port}`,
    new Promise((resolve, reject) => {
      socket.once('secureConnect', resolve).once('error', reject);
    }),
  );
  return { socket, received };
}

/** The options of an ingress that ends TLS with these certificates. */
export const terminatingTo = (
  port: number,
  pairs: readonly Omit<KeyPair, 'issued'>[],
): Pick<IngressOptions, 'tlsListen' | 'tlsCerts' | 'tlsKeys'> => ({
  tlsListen: [
    {
      listen: { kind: 'tcp', host: '127.0.0.1', port: 0 },
      destination: { kind: 'host', host: '127.0.0.1', port },
      spec: `0:127.0.0.1:${port}`,
    },
  ],
  tlsCerts: pairs.map(({ cert }) => cert),
  tlsKeys: pairs.map(({ key }) => key),
});

const terminating = (version: 'TLSv1.2' | 'TLSv1.3'): Dialect => ({
  name: `a client of ${version} whose TLS ends here`,
  frontEnd: 'tls-termination',
  request: () => hello,
  accepted: '',
  dial: (port) => tlsClient(port, { minVersion: version, maxVersion: version }),
  options: (port) => terminatingTo(port, [pair]),
  refused: (why) => alertBytes(why === 'denied' ? alerts.accessDenied : alerts.internalError),
});
export const tlsTermination: readonly Dialect[] = [terminating('TLSv1.3'), terminating('TLSv1.2')];

/** The ways of a TLS client, as bytes in latin1. */
import { duplexPair } from 'node:stream';
import { connect } from 'node:tls';
import { parseSniRoute, type SniRoute } from '@adit/shared';
import type { Dialect } from './front-end-contract.ts';

export const alertBytes = (description: number): string => `\x15\x03\x03\x00\x02\x02${String.fromCharCode(description)}`;
export const alerts = { unexpectedMessage: 10, accessDenied: 49, decodeError: 50, internalError: 80, missingExtension: 109, unrecognizedName: 112 } as const;

/** The first flight of a real client that asks for this name; an empty one is none. */
export async function helloOf(servername: string, { minBytes = 0 } = {}): Promise<string> {
  const [near, wire] = duplexPair();
  const ALPNProtocols = Array.from({ length: Math.ceil(minBytes / 230) }, (_, at) => `${at}`.padEnd(230, 'x'));
  const socket = connect({ socket: near, servername, ...(minBytes > 0 && { ALPNProtocols }) }).on('error', () => {});
  let said = '';
  for await (const chunk of wire) {
    said += (chunk as Buffer).toString('latin1');
    if (said.length > minBytes) break;
  }
  socket.destroy();
  return said;
}

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
  name: 'a TLS client that asks for a name', frontEnd: 'sni', request: () => hello, forwarded: hello, accepted: '', options: (port) => ({ sniRoutes: sniRoutes(`*.example.com=127.0.0.1:${port}`) }),
  refused: (why) => alertBytes(why === 'denied' ? alerts.accessDenied : alerts.internalError),
};

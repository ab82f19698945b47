/** The first flight of a real TLS client, as bytes in latin1. */
import { duplexPair } from 'node:stream';
import { connect } from 'node:tls';

/** Asks for this name; an empty one is none. `minBytes` makes it larger, by ALPN protocols that no server has. */
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

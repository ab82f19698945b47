/**
 * The addresses that this process connects to, or tries to. A connection of ours that a firewall redirects back to us
 * is recognised by them.
 * Rule: every connection to an egress or to a proxy is noted before its first packet, and forgotten when its socket
 * closes.
 */
import type net from 'node:net';
import { formatAddress, parseAddress, unmapped } from '../protocol/address.ts';
import { formatHostPort, type HostPort } from '../protocol/destination.ts';

const outgoing = new Map<net.Socket, Set<string>>();

/** Call it in the same turn as the connect. The addresses of a name are noted as they are found. */
export function noteOutgoing(socket: net.Socket, { host, port }: HostPort): void {
  const noted = new Set<string>();
  const note = (address: string): void => {
    const spelled = spell(address, port);
    if (spelled !== undefined) noted.add(spelled);
  };
  note(host);
  socket.on('lookup', (_error: Error | null, address: string) => {
    note(address);
  });
  outgoing.set(socket, noted);
  socket.once('close', () => {
    outgoing.delete(socket);
  });
}

/** Whether a connection of ours leads to this address and port. */
export function isOutgoing({ host, port }: HostPort): boolean {
  const spelled = spell(host, port);
  return spelled !== undefined && [...outgoing.values()].some((each) => each.has(spelled));
}

/** The one spelling of an address and port; undefined for a name. */
function spell(address: unknown, port: number): string | undefined {
  const bytes = typeof address === 'string' ? parseAddress(address) : undefined;
  return bytes && formatHostPort(formatAddress(unmapped(bytes)), port);
}

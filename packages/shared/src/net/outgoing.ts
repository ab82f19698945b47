/**
 * Where this process is connected to, or tries to: a connection that a firewall turned back to us is known by that as
 * our own.
 * Rule: every connection to an egress or to a proxy is noted before its first packet, and forgotten when its socket
 * closes.
 */
import type net from 'node:net';
import { formatAddress, parseAddress, unmapped } from '../protocol/address.ts';
import { formatHostPort } from '../protocol/destination.ts';

interface Place {
  readonly host: string;
  readonly port: number;
}

const places = new Map<net.Socket, Set<string>>();

/** In the same turn as the connect; `to` may hold a name, whose addresses are noted as they are found. */
export function noteOutgoing(socket: net.Socket, { host, port }: Place): void {
  const mine = new Set<string>();
  const note = (address: string): void => {
    const place = placeOf(address, port);
    if (place !== undefined) mine.add(place);
  };
  note(host);
  socket.on('lookup', (_error: Error | null, address: string) => {
    note(address);
  });
  places.set(socket, mine);
  socket.once('close', () => {
    places.delete(socket);
  });
}

/** Does a connection of ours lead to this address and port? */
export function isOutgoing({ host, port }: Place): boolean {
  const place = placeOf(host, port);
  return place !== undefined && [...places.values()].some((each) => each.has(place));
}

/** One spelling each; a name has none. */
function placeOf(address: unknown, port: number): string | undefined {
  const bytes = typeof address === 'string' ? parseAddress(address) : undefined;
  return bytes && formatHostPort(formatAddress(unmapped(bytes)), port);
}

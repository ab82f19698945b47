/**
 * Who is at the other end of a TCP connection, in the one spelling of addresses: a listener on `::` shows clients over
 * IPv4 as v4-mapped addresses, and link-local ones with a zone.
 */
import type net from 'node:net';
import { clientAddress } from '../protocol/client-address.ts';
import type { HostPort } from '../protocol/destination.ts';

/** Undefined for a Unix socket, and for a connection that is gone. */
export function peerAddress({ remoteAddress, remotePort = 0 }: net.Socket): HostPort | undefined {
  return remoteAddress === undefined ? undefined : clientAddress(remoteAddress, remotePort);
}

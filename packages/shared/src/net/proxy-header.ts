/**
 * Who is at the other end of a connection that begins with a PROXY protocol header: the client that the header names.
 * Rule: exactly the header is read; what follows it is put back. Missing, malformed or late is a rejection, never a
 * guess.
 * Not here: who is trusted to send one, the format (protocol/proxy-protocol.ts).
 */
import type { Duplex } from 'node:stream';
import { formatAddress, parseAddress, unmapped } from '../protocol/address.ts';
import { formatHostPort } from '../protocol/destination.ts';
import { awaitProxyHeader, maxProxyHeaderBytes, type ProxyHeader } from '../protocol/proxy-protocol.ts';
import { drive, type DriveOptions } from './drive.ts';

/**
 * The client as `192.0.2.7:51514` or `[2001:db8::7]:51514`; undefined where the header names none, as those of health
 * checks do. The duplex is paused.
 */
export async function readProxyHeader(
  duplex: Duplex,
  options: Omit<DriveOptions, 'maxBytes' | 'putBack'>,
): Promise<string | undefined> {
  const { value } = await drive(duplex, awaitProxyHeader(), {
    ...options,
    maxBytes: maxProxyHeaderBytes,
    putBack: true,
  });
  return clientOf(value);
}

function clientOf({ source }: ProxyHeader): string | undefined {
  const address = source && parseAddress(source.host);
  return address && formatHostPort(formatAddress(unmapped(address)), source.port);
}

/**
 * Reads a PROXY protocol header at the beginning of a connection, and returns the client that it names.
 * Rule: exactly the header is read; the bytes after it are put back. A header that is missing, malformed or late is a
 * rejection, never a guess.
 * Not here: who is trusted to send one, the format (protocol/proxy-protocol.ts).
 */
import type { Duplex } from 'node:stream';
import { formatAddress, parseAddress, unmapped } from '../protocol/address.ts';
import { formatHostPort } from '../protocol/destination.ts';
import { awaitProxyHeader, maxProxyHeaderBytes, type ProxyHeader } from '../protocol/proxy-protocol.ts';
import { drive, type DriveOptions } from './drive.ts';

/**
 * The client as `192.0.2.7:51514` or `[2001:db8::7]:51514`; undefined if the header names none, as in a health check.
 * The duplex is paused afterwards.
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

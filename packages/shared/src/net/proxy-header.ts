/**
 * Reads a PROXY protocol header at the beginning of a connection, and returns the client that it names.
 * Rule: exactly the header is read; the bytes after it are put back. A header that is missing, malformed or late is a
 * rejection, never a guess.
 * Not here: who is trusted to send one, the format (protocol/proxy-protocol.ts).
 */
import type { Duplex } from 'node:stream';
import { clientAddress } from '../protocol/client-address.ts';
import type { HostPort } from '../protocol/destination.ts';
import { awaitProxyHeader, maxProxyHeaderBytes, type ProxyHeader } from '../protocol/proxy-protocol.ts';
import { drive, type DriveOptions } from './drive.ts';

/**
 * The address of the client; undefined if the header names none, as in a health check. The duplex is paused
 * afterwards.
 */
export async function readProxyHeader(
  duplex: Duplex,
  options: Omit<DriveOptions, 'maxBytes' | 'putBack'>,
): Promise<HostPort | undefined> {
  const { value } = await drive(duplex, awaitProxyHeader(), {
    ...options,
    maxBytes: maxProxyHeaderBytes,
    putBack: true,
  });
  return clientOf(value);
}

function clientOf({ source }: ProxyHeader): HostPort | undefined {
  return source && clientAddress(source.host, source.port);
}

/**
 * Where a connection comes from, as far as shares are concerned: one IPv4 address, or the /64 of an IPv6 address.
 * Rule: a /64 is one source, because whoever has one address of it has all of them (RFC 6177, RFC 7934).
 * Not here: what a source may hold (places.ts).
 */
import { formatAddress, parseAddress, unmapped } from '@adit/shared/protocol/address';

const networkBytes = 8;

/** "203.0.113.7" or "2001:db8:0:1::/64"; text that is no address is a source of its own. */
export function sourceOf(host: string): string {
  const address = parseAddress(host.split('%', 1)[0]!);
  if (address === undefined) return host;
  const plain = unmapped(address);
  if (plain.length === 4) return formatAddress(plain);
  return `${formatAddress(plain.map((byte, at) => (at < networkBytes ? byte : 0)))}/64`;
}

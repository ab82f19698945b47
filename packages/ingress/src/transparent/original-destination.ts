/**
 * Where a connection was going before a firewall redirected it to us.
 * Rule: only the kernel is asked, and its answer is never combined with anything that the client sends. After REDIRECT
 * and DNAT conntrack knows the old address; TPROXY changes nothing, so that the address at which the connection arrived
 * is the one.
 * Not here: whether it may go there.
 * Spec: ip(7), IP_TRANSPARENT; linux/netfilter_ipv4.h, SO_ORIGINAL_DST.
 */
import type { HostPort } from '@adit/shared/protocol/destination';
import { AditError } from '@adit/shared/errors';
import { socketOption, type SocketOptions } from '@adit/shared/native/socket-options';
import { safeText } from '@adit/shared/observe/safe-text';
import { formatAddress, isMapped, parseAddress, unmapped } from '@adit/shared/protocol/address';
import type { Arrival } from '../frontend/contract.ts';

const sockaddrBytes = { 4: 16, 6: 28 } as const;
const families: Readonly<Record<number, 4 | 6>> = { 2: 4, 10: 6 };

/** The host is an address without brackets and zone. Throws INTERNAL. */
export function originalDestination({ address, port, fd }: Arrival, options: Pick<SocketOptions, 'read'>): HostPort {
  const bytes = parseAddress(address.replace(/%.*$/, ''));
  if (bytes === undefined)
    throw new AditError('INTERNAL', `the connection arrived at ${safeText(address)}, which is not an address`);
  const family = bytes.length === 4 || isMapped(bytes) ? 4 : 6;
  const asked = options.read(
    fd,
    family === 4 ? socketOption.originalDestination4 : socketOption.originalDestination6,
    sockaddrBytes[family],
  );
  // An errno means that conntrack does not know the connection: nothing changed its address.
  return (asked.ok ? readSockaddr(asked.bytes) : undefined) ?? { host: formatAddress(unmapped(bytes)), port };
}

/**
 * `sockaddr_in`: family(2, of the machine) port(2) address(4) ...; `sockaddr_in6`: family(2) port(2) flow(4)
 * address(16) scope(4). Undefined if it is neither.
 */
export function readSockaddr(bytes: Uint8Array): HostPort | undefined {
  // A family is below 256: one of its two bytes is zero, whichever comes first on this machine.
  const family = families[(bytes[0] ?? 0) | (bytes[1] ?? 0)];
  if (family === undefined || bytes.length < sockaddrBytes[family]) return undefined;
  const address = family === 4 ? bytes.subarray(4, 8) : bytes.subarray(8, 24);
  return { host: formatAddress(unmapped(address)), port: (bytes[2]! << 8) | bytes[3]! };
}

/**
 * Names to addresses, once per dial, through the resolver of the system (so /etc/hosts and its like hold).
 * Rule: the answer is not trusted: every address is still to be judged. Returns at most `maxAddresses`, without
 * duplicates, in the order of the resolver but with alternating families (RFC 8305 section 4), so that a family that
 * does not work costs one stagger and not many.
 * Not here: caching, which belongs to the resolver; deadlines (judged.ts); whose turn it is (look-ups.ts).
 */
import { lookup } from 'node:dns/promises';
import { addressFamily } from '@adit/shared/protocol/destination';

/** Addresses of a name as text, the preferred first. */
export type LookUp = (host: string) => Promise<readonly string[]>;

/** The same for somebody who may stop waiting: `gone` says so, and the promise may then stay open. */
export type Resolve = (host: string, gone: AbortSignal) => Promise<readonly string[]>;

/** Enough for any service, and too few to turn a name into a port scanner. */
export const maxAddresses = 16;

/** The resolver of the system: `getaddrinfo`, on a thread of libuv, which it holds until it has an answer. */
export const systemResolve: LookUp = async (host) =>
  (await lookup(host, { all: true, order: 'verbatim' })).map(({ address }) => address);

/** Drops duplicates, alternates the families beginning with the first, and keeps `maxAddresses`. */
export function inTurns(addresses: readonly string[]): readonly string[] {
  const distinct = [...new Set(addresses)];
  const first = addressFamily(distinct[0] ?? '');
  const same = distinct.filter((address) => addressFamily(address) === first);
  const other = distinct.filter((address) => addressFamily(address) !== first);
  const turns = Array.from({ length: Math.max(same.length, other.length) }, (_, at) => [same[at], other[at]]).flat();
  return turns.filter((address) => address !== undefined).slice(0, maxAddresses);
}

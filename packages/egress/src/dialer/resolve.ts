/**
 * Names to addresses, once per dial, through the resolver of the system (so /etc/hosts and its like hold).
 * Rule: what comes back is not trusted: every address is still to be judged. At most `maxAddresses`, without
 * repetitions, in the resolver's order with the families taking turns (RFC 8305 section 4), so that a dead family costs
 * one stagger and not many.
 * Not here: caching, which belongs to the resolver; deadlines (dial.ts).
 */
import { lookup } from 'node:dns/promises';
import { addressFamily } from '@adit/shared/protocol/destination';

/** Addresses of a name as text, the preferred first. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** More addresses than any service needs, and fewer than make a name a port scanner. */
export const maxAddresses = 16;

/** The resolver of the system. */
export const systemResolve: Resolve = async (host) =>
  (await lookup(host, { all: true, order: 'verbatim' })).map(({ address }) => address);

/** Drops repetitions, lets the families take turns beginning with the first one's, and keeps `maxAddresses`. */
export function inTurns(addresses: readonly string[]): readonly string[] {
  const distinct = [...new Set(addresses)];
  const first = addressFamily(distinct[0] ?? '');
  const same = distinct.filter((address) => addressFamily(address) === first);
  const other = distinct.filter((address) => addressFamily(address) !== first);
  const turns = Array.from({ length: Math.max(same.length, other.length) }, (_, at) => [same[at], other[at]]).flat();
  return turns.filter((address) => address !== undefined).slice(0, maxAddresses);
}

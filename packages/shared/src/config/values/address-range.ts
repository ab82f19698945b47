/**
 * A range of IP addresses as --accept-proxy-protocol takes it: "10.0.0.0/8", "fd00::/8", or one address.
 * Rule: the strict spelling of protocol/address.ts. A name is refused: nobody knows what it will resolve to.
 */
import { parseCidr, type Cidr } from '../../protocol/address.ts';
import { unparsed, type Parsed } from '../parsed.ts';

export function parseAddressRange(text: string): Parsed<Cidr> {
  const range = parseCidr(text);
  return range.ok ? range : unparsed(`${range.reason}; a range is written as 10.0.0.0/8, one address as 10.0.0.5`);
}

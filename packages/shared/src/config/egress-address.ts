/**
 * Where an egress is, as --egress takes it: HOST:PORT, or srv:NAME for what DNS SRV records of that name list (RFC 2782).
 * Rule: a SRV name is a whole name, `_service._tcp.domain`; it is looked up by the ingress, again and again.
 */
import { parseDialAddress } from './host-port.ts';
import { parsed, unparsed, type Parsed } from './parsed.ts';

export type EgressAddress = { readonly kind: 'address'; readonly host: string; readonly port: number } | { readonly kind: 'srv'; readonly name: string };

const srv = /^_[a-z0-9-]{1,62}\._tcp(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/;

export function parseEgressAddress(text: string): Parsed<EgressAddress> {
  if (!text.startsWith('srv:')) {
    const address = parseDialAddress(text);
    return address.ok ? parsed({ kind: 'address', ...address.value }) : address;
  }
  const name = text.slice('srv:'.length).toLowerCase().replace(/\.$/, '');
  return srv.test(name) && name.length <= 253 ? parsed({ kind: 'srv', name }) : unparsed('not a SRV name: write srv:_adit._tcp.example.org');
}

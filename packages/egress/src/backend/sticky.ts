/**
 * What `hash-on: client` remembers a caller by: the address of the local client without its port, which changes with
 * every connection.
 * Rule: an ingress that claims no address (a Unix socket, another program's protocol) is remembered by its identity, so
 * that nobody shares a key with strangers by saying nothing.
 */
import { addressFamily, parseDestination } from '@adit/shared/protocol/destination';
import type { Caller } from './greeting.ts';

export function addressOf({ client, identity }: Pick<Caller, 'client' | 'identity'>): string {
  const parsed = client === undefined ? undefined : parseDestination(client);
  return parsed?.ok === true && parsed.value.kind === 'host' && addressFamily(parsed.value.host) !== 0
    ? parsed.value.host
    : identity.uri;
}

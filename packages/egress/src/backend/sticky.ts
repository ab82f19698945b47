/**
 * The key of a caller for `hash-on: client`: the address of the local client, without its port, which changes with
 * every connection.
 * Rule: where the ingress claims no address (a Unix socket, the protocol of another program) the key is the identity,
 * so that callers without an address do not share a key with strangers.
 */
import type { Caller } from './greeting.ts';

export function addressOf({ client, identity }: Pick<Caller, 'client' | 'identity'>): string {
  return client === undefined || client === 'local' ? identity.uri : client.host;
}

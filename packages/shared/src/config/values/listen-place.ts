/**
 * Where the egress listens: HOST:PORT, the path of a Unix socket, or `systemd:NAME`, each with `?accept-proxy` as for a
 * front end.
 * Rule: nothing listens beyond loopback by accident. Unlike for a front end, the host is mandatory; `*` is every
 * address.
 */
import { parseListenAddress } from './host-port.ts';
import { parseListening, type ListenSpec } from './listen-at.ts';
import { parsed, type Parsed } from '../parsed.ts';

/** `127.0.0.1:8443`, `*:8443`, `/run/adit/egress.sock`, `systemd:adit`, each with or without `?accept-proxy`. */
export function parseListenPlace(text: string, from?: string): Parsed<ListenSpec> {
  return parseListening(text, from, (place) => {
    const address = parseListenAddress(place);
    return address.ok ? parsed({ kind: 'tcp', ...address.value }) : address;
  });
}

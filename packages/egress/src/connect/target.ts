/**
 * The target of a CONNECT: "HOST:PORT" (RFC 9110 section 7.1), "SERVICE", or "SERVICE.adit.internal:PORT" for clients
 * that always send a port.
 * Rule: one spelling, that of parseDestination. The port behind the name of a service is ignored: the policy of the
 * egress says where the service is.
 */
import type { Parsed } from '@adit/shared/protocol/address';
import { type Destination, parseDestination, serviceHostSuffix } from '@adit/shared/protocol/destination';

export function parseTarget(text: string): Parsed<Destination> {
  const parsed = parseDestination(text);
  if (!parsed.ok || parsed.value.kind === 'service' || !parsed.value.host.endsWith(serviceHostSuffix)) return parsed;
  return parseDestination(parsed.value.host.slice(0, -serviceHostSuffix.length));
}

/** Does a Host header name this target? Some clients leave the port out. */
export function namesTarget(host: string, target: string): boolean {
  const [one, other] = [host.toLowerCase(), target.toLowerCase()];
  return one === other || (/^[^:]+$|\]$/.test(one) && other.startsWith(`${one}:`));
}

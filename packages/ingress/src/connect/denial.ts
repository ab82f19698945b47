/**
 * What a CONNECT proxy answered instead of 2xx, as one of our codes.
 * Rule: the most exact word counts: our own code, which an Adit egress adds; then the error of Proxy-Status (RFC 9209 section 2.3); then the status.
 * What the proxy says is only passed on as text.
 */
import { AditError, codes, isCode, safeText, wireOfCode, type Code } from '@adit/shared';

const byError: Readonly<Record<string, Code>> = {
  dns_error: 'DNS_FAILED', dns_timeout: 'DNS_TIMEOUT', destination_not_found: 'UNKNOWN_SERVICE', destination_unavailable: 'HOST_UNREACHABLE', destination_ip_prohibited: 'ADDRESS_PROHIBITED',
  destination_ip_unroutable: 'HOST_UNREACHABLE', connection_refused: 'CONNECTION_REFUSED', connection_terminated: 'CONNECTION_RESET', connection_timeout: 'DIAL_TIMEOUT', connection_read_timeout: 'IDLE_TIMEOUT',
  connection_limit_reached: 'OVERLOAD', http_request_denied: 'POLICY_DENIED', proxy_loop_detected: 'HOST_UNREACHABLE',
};
const byStatus: Readonly<Record<number, Code>> = { 400: 'UNSUPPORTED', 401: 'POLICY_DENIED', 403: 'POLICY_DENIED', 404: 'HOST_UNREACHABLE', 405: 'UNSUPPORTED', 407: 'POLICY_DENIED', 429: 'OVERLOAD', 501: 'UNSUPPORTED', 504: 'DIAL_TIMEOUT' };

/** `proxyStatus` is the value of the header; several hops are listed, the last one is the nearest to us (RFC 9209 section 2). */
export function denial(status: number, proxyStatus: string | undefined): AditError {
  const own = parameter(proxyStatus, 'adit-code');
  const error = parameter(proxyStatus, 'error');
  const details = /;\s*details="((?:[^"\\]|\\.)*)"/.exec(proxyStatus ?? '')?.[1]?.replace(/\\(.)/g, '$1');
  const code = isCode(own) && wireOfCode(own) !== wireOfCode('INTERNAL') && codes[own].http >= 400 ? own : (error !== undefined && Object.hasOwn(byError, error) ? byError[error] : byStatus[status]) ?? 'HOST_UNREACHABLE';
  return new AditError(code, `the proxy answered ${status}${details === undefined ? error === undefined ? '' : ` (${safeText(error)})` : `: ${safeText(details)}`}`);
}

/** The value of a parameter that is a token. */
function parameter(text: string | undefined, name: string): string | undefined { return text === undefined ? undefined : new RegExp(`;\\s*${name}=([A-Za-z0-9_*-]+)`).exec(text)?.[1]; }

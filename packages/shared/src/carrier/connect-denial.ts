/**
 * Maps what a CONNECT proxy answered instead of 2xx to one of our codes.
 * Rule: the most specific source counts: our own code, which an Adit egress adds; then the error of Proxy-Status (RFC
 * 9209 section 2.3); then the status. What the proxy says is only passed on as text. In TLS 1.3 a proxy judges our
 * certificate after our handshake has completed, so its alert is an answer too.
 */
import { codes } from '../codes.ts';
import { AditError, isCode, wireOfCode, type Code } from '../errors.ts';
import { safeText } from '../observe/safe-text.ts';

const byError: Readonly<Record<string, Code>> = {
  dns_error: 'DNS_FAILED',
  dns_timeout: 'DNS_TIMEOUT',
  destination_not_found: 'UNKNOWN_SERVICE',
  destination_unavailable: 'HOST_UNREACHABLE',
  destination_ip_prohibited: 'ADDRESS_PROHIBITED',
  destination_ip_unroutable: 'HOST_UNREACHABLE',
  connection_refused: 'CONNECTION_REFUSED',
  connection_terminated: 'CONNECTION_RESET',
  connection_timeout: 'DIAL_TIMEOUT',
  connection_read_timeout: 'IDLE_TIMEOUT',
  connection_limit_reached: 'OVERLOAD',
  http_request_denied: 'POLICY_DENIED',
  proxy_loop_detected: 'VIA_LOOP',
};
const byStatus: Readonly<Record<number, Code>> = {
  400: 'UNSUPPORTED',
  401: 'POLICY_DENIED',
  403: 'POLICY_DENIED',
  404: 'HOST_UNREACHABLE',
  405: 'UNSUPPORTED',
  407: 'POLICY_DENIED',
  429: 'OVERLOAD',
  501: 'UNSUPPORTED',
  504: 'DIAL_TIMEOUT',
};

/**
 * `proxyStatus` is the value of the header. It may list several hops, the last of which is nearest to us (RFC 9209
 * section 2).
 */
export function denial(status: number, proxyStatus: string | undefined): AditError {
  const own = parameter(proxyStatus, 'adit-code');
  const error = parameter(proxyStatus, 'error');
  const details = /;\s*details="((?:[^"\\]|\\.)*)"/.exec(proxyStatus ?? '')?.[1]?.replace(/\\(.)/g, '$1');
  const code =
    isCode(own) && wireOfCode(own) !== wireOfCode('INTERNAL') && codes[own].http >= 400
      ? own
      : ((error !== undefined && Object.hasOwn(byError, error) ? byError[error] : byStatus[status]) ??
        'HOST_UNREACHABLE');
  const shortly = error === undefined ? '' : ` (${safeText(error)})`;
  const explained = details === undefined ? shortly : `: ${safeText(details)}`;
  return new AditError(code, `the proxy answered ${status}${explained}`);
}

const byAlert: Readonly<Record<string, Code>> = {
  TLSV1_ALERT_UNKNOWN_CA: 'CLIENT_CERT_UNKNOWN_CA',
  SSLV3_ALERT_CERTIFICATE_EXPIRED: 'CLIENT_CERT_EXPIRED',
  SSLV3_ALERT_CERTIFICATE_REVOKED: 'CLIENT_CERT_REVOKED',
  TLSV13_ALERT_CERTIFICATE_REQUIRED: 'CLIENT_CERT_MISSING',
  SSLV3_ALERT_BAD_CERTIFICATE: 'CLIENT_CERT_INVALID',
  SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'CLIENT_CERT_INVALID',
  SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: 'CLIENT_CERT_INVALID',
  TLSV1_ALERT_ACCESS_DENIED: 'CLIENT_CERT_INVALID',
  SSLV3_ALERT_HANDSHAKE_FAILURE: 'CLIENT_CERT_INVALID',
  // The certificate is from another CA of the same name, so that its signature does not verify.
  TLSV1_ALERT_DECRYPT_ERROR: 'CLIENT_CERT_INVALID',
};

/** The same failure; or the one that a TLS alert names, if the proxy does not accept our certificate. */
export function withAlert(error: unknown, proxy: string): unknown {
  const alert =
    error instanceof AditError
      ? /^ERR_SSL_(.+)$/.exec((error.cause as NodeJS.ErrnoException | undefined)?.code ?? '')?.[1]
      : undefined;
  const code = alert === undefined || !Object.hasOwn(byAlert, alert) ? undefined : byAlert[alert];
  return code === undefined
    ? error
    : new AditError(code, `the proxy ${proxy} does not accept our certificate (${alert})`, { cause: error });
}

/** The value of a parameter whose value is a token. */
function parameter(text: string | undefined, name: string): string | undefined {
  return text === undefined ? undefined : new RegExp(`;\\s*${name}=([A-Za-z0-9_*-]+)`).exec(text)?.[1];
}

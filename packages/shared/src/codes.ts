/**
 * The one table of codes: what every refusal and failure is called on the wire, to a local client and to the shell.
 * Rule: a code is added here or nowhere, and a wire number is never reused.
 * Not here: the error that carries a code, and the way from a wire number to its code (errors.ts).
 * Spec: docs/protocol.md section 3.7; SOCKS replies RFC 1928 section 6; Proxy-Status errors RFC 9209 section 2.3.
 */

export type Origin = 'config' | 'local' | 'link' | 'policy' | 'service';

export interface CodeRow {
  /** Number in OPEN_ERR, RESET, REFUSE, GOAWAY and CLOSE; absent for what never crosses the wire. */
  readonly wire?: number;
  readonly origin: Origin;
  /** May the same request succeed later without anybody changing anything? */
  readonly retryable: boolean;
  /** SOCKS5 reply octet. */
  readonly socks: number;
  readonly http: number;
  /** RFC 9209 error type. */
  readonly proxyStatus: string;
  /**
   * Exit status of a process that ends for this reason: 1 failure, 2 usage or configuration, 3 our certificate or key,
   * 4 denied: the same again is denied again.
   */
  readonly exit: 1 | 2 | 3 | 4;
  /** One sentence: what the reader can do. */
  readonly advice: string;
}

/** What the codes of one kind have in common; a row says where it differs. */
type Kind = Omit<CodeRow, 'advice'>;
/** The egress says no to this identity or destination, and will say it again. */
const denied: Kind = {
  origin: 'policy',
  retryable: false,
  socks: 2,
  http: 403,
  proxyStatus: 'http_request_denied',
  exit: 4,
};
/** A limit of the egress is reached, for now. */
const limit: Kind = {
  ...denied,
  retryable: true,
  socks: 1,
  http: 503,
  proxyStatus: 'connection_limit_reached',
  exit: 1,
};
/** The egress could not reach the service, or lost it. */
const service: Kind = {
  origin: 'service',
  retryable: true,
  socks: 1,
  http: 502,
  proxyStatus: 'connection_terminated',
  exit: 1,
};
/** The ingress could not reach the egress, or lost it. */
const link: Kind = { ...service, origin: 'link', proxyStatus: 'destination_unavailable' };
/** The two ends disagree about the protocol. */
const protocol: Kind = { ...link, retryable: false, proxyStatus: 'proxy_internal_error' };
/** The egress does not take this session, or no longer. */
const session: Kind = { ...link, retryable: false, http: 503 };
/** Something fails on this machine. */
const local: Kind = { ...protocol, origin: 'local', http: 500 };
/** A local client asks for something that it cannot have. */
const client: Kind = { ...local, http: 400, proxyStatus: 'http_request_error' };
/** What the user wrote is wrong; no process starts. */
const config: Kind = { ...local, origin: 'config', exit: 2 };

/** One code: what it is like, and one sentence of advice. */
function row(kind: Kind, advice: string): CodeRow {
  return { ...kind, advice };
}

export const codes = {
  NO_ERROR: row({ ...service, wire: 0, socks: 0, http: 200 }, 'Nothing to do.'),
  PROTOCOL_ERROR: row(
    { ...protocol, wire: 1 },
    'The two ends disagree about the protocol: compare their versions, then report it.',
  ),
  INTERNAL: row(
    { ...link, wire: 2, proxyStatus: 'proxy_internal_error' },
    'This is a bug: report it with the log of both ends.',
  ),
  FLOW_CONTROL: row(
    { ...protocol, wire: 3 },
    'A peer sent more than it was granted: compare the versions of the two ends.',
  ),
  EXCESSIVE: row(
    { ...link, wire: 4, http: 429, proxyStatus: 'connection_limit_reached' },
    'The peer sends more than its limits allow, or opens too many streams that come to nothing: slow down and retry, ' +
      'or raise --max-failed-streams-per-identity at the egress.',
  ),
  POLICY_DENIED: row({ ...denied, wire: 16 }, 'Ask the owner of the egress for a rule that allows this destination.'),
  ADDRESS_PROHIBITED: row(
    { ...denied, wire: 17, http: 502, proxyStatus: 'destination_ip_prohibited' },
    'The name resolves to a loopback, private, link-local or metadata address: a rule must name that range.',
  ),
  DNS_FAILED: row(
    { ...service, wire: 18, socks: 4, proxyStatus: 'dns_error' },
    'The egress cannot resolve this name: check its spelling, and the resolver of the egress.',
  ),
  DNS_TIMEOUT: row(
    { ...service, wire: 19, socks: 4, http: 504, proxyStatus: 'dns_timeout' },
    'The resolver of the egress does not answer: check it there.',
  ),
  CONNECTION_REFUSED: row(
    { ...service, wire: 20, socks: 5, proxyStatus: 'connection_refused' },
    'Nothing listens on that port: check that the service runs and the port is right.',
  ),
  HOST_UNREACHABLE: row(
    { ...service, wire: 21, socks: 4, proxyStatus: 'destination_ip_unroutable' },
    'The egress has no path to that host: check its routes and firewalls.',
  ),
  NETWORK_UNREACHABLE: row(
    { ...service, wire: 22, socks: 3, proxyStatus: 'destination_ip_unroutable' },
    'The egress has no route to that network: check its routes.',
  ),
  DIAL_TIMEOUT: row(
    { ...service, wire: 23, socks: 4, http: 504, proxyStatus: 'connection_timeout' },
    'The service does not answer: check firewalls between the egress and it, or raise --dial-timeout.',
  ),
  CONNECTION_RESET: row({ ...service, wire: 24 }, 'The other side reset the connection.'),
  PEER_GONE: row({ ...service, wire: 25 }, 'The other side closed before it had read everything.'),
  IDLE_TIMEOUT: row(
    { ...service, wire: 26, http: 504, proxyStatus: 'connection_read_timeout' },
    'No bytes moved for the configured time: raise --idle-timeout or use keepalives in the application.',
  ),
  LIMIT_STREAMS: row(
    { ...limit, wire: 27 },
    'Too many connections are open for this identity: close some, or raise --max-streams-per-identity at the ' +
      'egress.',
  ),
  OVERLOAD: row({ ...limit, wire: 28 }, 'The egress is at its limit: retry later, or raise its limits.'),
  UNSUPPORTED: row(
    { ...protocol, wire: 29, socks: 7, http: 501, proxyStatus: 'proxy_configuration_error' },
    'The other end does not know this feature: upgrade the older of the two.',
  ),
  UNKNOWN_SERVICE: row(
    { ...denied, wire: 30, socks: 4, http: 404, proxyStatus: 'destination_not_found' },
    'The policy of the egress defines no service of that name: check the spelling.',
  ),
  LIMIT_SESSIONS: row(
    { ...session, wire: 31, retryable: true },
    'Too many sessions are open for this identity: stop some ingresses, or raise --max-sessions-per-identity ' +
      'at the egress.',
  ),
  CLIENT_CERT_MISSING: row({ ...denied, wire: 32 }, 'Give the ingress a client certificate with --cert and --key.'),
  CLIENT_CERT_UNKNOWN_CA: row(
    { ...denied, wire: 33 },
    'Use a certificate issued by the CA that the egress trusts (its --client-ca).',
  ),
  CLIENT_CERT_EXPIRED: row(
    { ...denied, wire: 34 },
    'Renew it (adit ca issue client NAME --renew); if it looks valid, compare the clocks.',
  ),
  CLIENT_CERT_NOT_YET_VALID: row(
    { ...denied, wire: 35 },
    'The certificate starts in the future: compare the clocks of the two machines.',
  ),
  CLIENT_CERT_WRONG_USAGE: row(
    { ...denied, wire: 36 },
    'This certificate is not for clients: issue one with "adit ca issue client NAME".',
  ),
  CLIENT_CERT_REVOKED: row(
    { ...denied, wire: 37 },
    'The certificate was revoked: ask the owner of the CA for a new one (adit ca issue client NAME --reinstate).',
  ),
  CLIENT_CERT_NO_IDENTITY: row(
    { ...denied, wire: 38 },
    'The certificate names no client identity (URI SAN spiffe://TRUST-DOMAIN/client/NAME): issue one with ' +
      '"adit ca issue client NAME".',
  ),
  IDENTITY_NOT_IN_POLICY: row(
    { ...denied, wire: 39 },
    'No rule of the policy names this identity or its groups: ask the owner of the egress.',
  ),
  VERSION: row({ ...denied, wire: 40 }, 'The two ends share no protocol version: upgrade the older of the two.'),
  CLIENT_CERT_INVALID: row(
    { ...denied, wire: 41 },
    'The certificate does not verify: inspect it with "adit ca show FILE".',
  ),
  REVOCATION_STALE: row(
    { ...session, wire: 42, retryable: true },
    'The revocation list is out of date or missing: run "adit ca crl" on the CA and copy the file to the side ' +
      'that refused.',
  ),
  NOT_RESUMABLE: row(
    { ...session, wire: 48 },
    'The egress does not know this session any more: open connections are reset, new ones work.',
  ),
  RESUME_EXPIRED: row(
    { ...session, wire: 49 },
    'The session was away for longer than the resume window: open connections are reset, new ones work.',
  ),
  WRONG_INSTANCE: row(
    { ...session, wire: 50 },
    'Another egress owns this session: check the load balancer in front of the egresses.',
  ),
  BAD_OFFSET: row(
    { ...session, wire: 51 },
    'The two ends disagree about what was delivered: open connections are reset, new ones work.',
  ),
  SUPERSEDED: row({ ...session, wire: 52, retryable: true }, 'A newer carrier took over this session.'),
  DRAINING: row(
    { ...session, wire: 53, retryable: true },
    'The ingress or the egress is shutting down: another one, or the same one after its restart, takes new ' +
      'connections.',
  ),
  CERT_EXPIRED: row(
    { ...denied, wire: 54 },
    'The certificate expired while the session was open: renew it (adit ca issue client NAME --renew).',
  ),
  REVOKED: row({ ...denied, wire: 55 }, 'The certificate was revoked while the session was open.'),
  POLICY_RELOADED: row(
    { ...denied, wire: 56 },
    'The policy, or the certificate of the ingress, changed and no longer allows this destination.',
  ),
  SERVICE_TLS_FAILED: row(
    { ...service, wire: 58, proxyStatus: 'tls_certificate_error' },
    'The egress could not verify the service: check its certificate, and "ca" and "server-name" of the ' +
      'service in the policy, or --service-ca of the egress.',
  ),
  VIA_LOOP: row(
    { ...service, wire: 59, retryable: false, http: 508, proxyStatus: 'proxy_loop_detected' },
    'The next hops of the egresses lead in a circle, or over more than 8 egresses: check "via" in their policies.',
  ),
  VIA_FAILED: row(
    { ...service, wire: 60, proxyStatus: 'destination_unavailable' },
    'The proxy that the egress goes through ("via" in its policy) cannot be used: its log says why.',
  ),
  USAGE: row(config, 'See --help.'),
  CONFIG_INVALID: row(config, 'Correct the value that is named.'),
  CONFIG_UNKNOWN_KEY: row(config, 'Remove the key or correct its spelling.'),
  POLICY_INVALID: row(config, 'Correct the policy file; "adit policy check FILE" tests it.'),
  CREDENTIALS_UNUSABLE: row({ ...config, exit: 3 }, 'Check --cert and --key with "adit ca show FILE".'),
  ACTIVATION_INVALID: row(
    config,
    'Compare FileDescriptorName= of the .socket units with the systemd:NAME of the options.',
  ),
  TRANSPARENT_UNAVAILABLE: row(config, 'Or leave out --transparent: --socks and --http-proxy work everywhere.'),
  SERVICE_UNAVAILABLE: row(local, 'See "Without systemd" in docs/operations.md.'),
  SERVICE_FAILED: row(local, 'Correct what is named, and run the command again.'),
  LISTEN_FAILED: row(local, 'Choose another address or port, or stop the program that uses it.'),
  EGRESS_UNREACHABLE: row(
    { ...session, retryable: true },
    'Check the address of the egress, the network, and that the egress runs.',
  ),
  EGRESS_CERT_INVALID: row(
    { ...link, proxyStatus: 'tls_certificate_error' },
    'Check --ca, and that the certificate of the egress covers the name given with --egress (or --server-name).',
  ),
  LINK_TIMEOUT: row(
    { ...link, wire: 61, http: 504, proxyStatus: 'connection_timeout' },
    'No answer came in time: check the network on the way, and what listens at that address.',
  ),
  LINK_LOST: row(
    { ...link, wire: 57, proxyStatus: 'connection_terminated' },
    'The connection to the egress broke: open connections were reset, a new session is being made.',
  ),
  PROXY_FAILED: row(
    link,
    'Check the address of the proxy (--proxy, --proxy-file or HTTPS_PROXY), that it runs, and for an https:// ' +
      'one --proxy-ca and --proxy-cert.',
  ),
  PROXY_REFUSED: row(
    link,
    'Ask whoever runs the proxy to allow CONNECT to the host and port of the egress; most allow port 443.',
  ),
  PROXY_AUTH_REQUIRED: row(
    link,
    'Give the proxy the right user and password: in a file of mode 0600 that --proxy-file names, in the ' +
      'configuration file, or in ADIT_PROXY.',
  ),
  INGRESS_GONE: row(
    local,
    'Start the ingress of this --control-socket again, or give --egress, --cert, --key and --ca for a session ' +
      'without it.',
  ),
  CLIENT_MALFORMED: row(client, 'The local client does not speak what this port expects: check its proxy settings.'),
  CLIENT_TIMEOUT: row(
    { ...client, retryable: true, http: 408 },
    'The local client connected and named no destination: check that it is a client of this kind of proxy.',
  ),
  CLIENT_UNAUTHENTICATED: row(
    { ...client, socks: 2, http: 407, proxyStatus: 'http_request_denied' },
    'Give the client a user and password of --socks-auth-file or --http-proxy-auth-file.',
  ),
  CLIENT_UNSUPPORTED: row(
    { ...client, socks: 7, http: 501 },
    'The client asks for something that this front end does not support.',
  ),
  CLIENT_TLS_FAILED: row(
    { ...client, proxyStatus: 'tls_protocol_error' },
    'The local client has to trust the issuer of --tls-cert, connect to a name that is in it, and speak TLS ' +
      '1.2 or newer.',
  ),
  CLIENT_NO_ROUTE: row(
    { ...client, http: 404, proxyStatus: 'destination_not_found' },
    'Give the name that the client asks for a route with --sni-route, or * for every other client.',
  ),
  CLIENT_NOT_REDIRECTED: row(
    client,
    'Connect to the destination itself; "adit ingress --transparent PORT --print-rules" prints the rules that ' +
      'lead connections to this port.',
  ),
  TRANSPARENT_LOOP: row(
    { ...client, http: 502, proxyStatus: 'proxy_loop_detected' },
    'Run the ingress as a separate user that the rules exempt: "adit ingress --transparent PORT --print-rules" ' +
      'prints such rules.',
  ),
  CA_EXISTS: row(local, 'Choose another --dir; a CA is never overwritten.'),
  CA_MISSING: row(local, 'Make a CA with "adit ca init", or name its folder with --dir.'),
  CA_BUSY: row({ ...local, retryable: true }, 'Another adit command holds the store: wait for it to end.'),
  CA_PASSPHRASE: row(local, 'Give the right passphrase with --passphrase-file or ADIT_CA_PASSPHRASE.'),
  CA_CORRUPT: row(local, 'The store is damaged: restore it from a backup.'),
  NAME_INVALID: row(config, 'Use letters, digits, dot, dash and underscore.'),
  NAME_TAKEN: row(local, 'Renew it with --renew, revoke the old certificate first, or choose another name.'),
  FILE_EXISTS: row(local, 'Choose another --out, or move the old file away; keys are never overwritten.'),
  FILE_UNREADABLE: row(local, 'Check the path and its permissions.'),
  NOT_FOUND: row(local, 'List what there is with "adit ca list".'),
  REQUEST_INVALID: row(local, 'Make a new request with "adit ca request NAME".'),
} as const satisfies Record<string, CodeRow>;

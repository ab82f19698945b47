/**
 * AditError and the one table of codes: what every refusal and failure is called, on the wire, to a local client, to
 * the shell.
 * Rule: nobody branches on message text; a code is added here or nowhere, and a wire number is never reused.
 * Not here: how a code is encoded (protocol/refusal.ts) or logged (observe).
 * Spec: docs/protocol.md section 3.7; SOCKS replies RFC 1928 section 6; Proxy-Status errors RFC 9209 section 2.3.
 */

/** A typed no. `reason` may be shown to the peer; `detail`, where there is one, says more and is for our own log only. */
export interface Refusal {
  readonly code: Code;
  readonly reason: string;
  readonly detail?: string;
}

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

type Local = readonly [socks: number, http: number, proxyStatus: string];
const stream = (
  wire: number,
  {
    origin,
    retryable,
    local: [socks, http, proxyStatus],
  }: { readonly origin: Origin; readonly retryable: boolean; readonly local: Local },
  advice: string,
): CodeRow => ({
  wire,
  origin,
  retryable,
  socks,
  http,
  proxyStatus,
  exit: origin === 'policy' && !retryable ? 4 : 1,
  advice,
});
const denied = (wire: number, advice: string): CodeRow => ({
  wire,
  origin: 'policy',
  retryable: false,
  socks: 2,
  http: 403,
  proxyStatus: 'http_request_denied',
  exit: 4,
  advice,
});
const link = (wire: number, retryable: boolean, advice: string): CodeRow => ({
  wire,
  origin: 'link',
  retryable,
  socks: 1,
  http: 503,
  proxyStatus: 'destination_unavailable',
  exit: 1,
  advice,
});
const ours = (exit: 1 | 2 | 3, origin: Origin, advice: string): CodeRow => ({
  origin,
  retryable: false,
  socks: 1,
  http: 500,
  proxyStatus: 'proxy_internal_error',
  exit,
  advice,
});

export const codes = {
  NO_ERROR: stream(
    0,
    { origin: 'service', retryable: true, local: [0, 200, 'connection_terminated'] },
    'Nothing to do.',
  ),
  PROTOCOL_ERROR: stream(
    1,
    { origin: 'link', retryable: false, local: [1, 502, 'proxy_internal_error'] },
    'The two ends disagree about the protocol: compare their versions, then report it.',
  ),
  INTERNAL: stream(
    2,
    { origin: 'link', retryable: true, local: [1, 502, 'proxy_internal_error'] },
    'This is a bug: report it with the log of both ends.',
  ),
  FLOW_CONTROL: stream(
    3,
    { origin: 'link', retryable: false, local: [1, 502, 'proxy_internal_error'] },
    'A peer sent more than it was granted: compare the versions of the two ends.',
  ),
  EXCESSIVE: stream(
    4,
    { origin: 'link', retryable: true, local: [1, 429, 'connection_limit_reached'] },
    'The peer sends frames faster than its limits allow: slow down and retry.',
  ),
  POLICY_DENIED: stream(
    16,
    { origin: 'policy', retryable: false, local: [2, 403, 'http_request_denied'] },
    'Ask the owner of the egress for a rule that allows this destination.',
  ),
  ADDRESS_PROHIBITED: stream(
    17,
    { origin: 'policy', retryable: false, local: [2, 502, 'destination_ip_prohibited'] },
    'The name resolves to a loopback, private, link-local or metadata address: a rule has to name that range.',
  ),
  DNS_FAILED: stream(
    18,
    { origin: 'service', retryable: true, local: [4, 502, 'dns_error'] },
    'The egress cannot resolve this name: check its spelling, and the resolver of the egress.',
  ),
  DNS_TIMEOUT: stream(
    19,
    { origin: 'service', retryable: true, local: [4, 504, 'dns_timeout'] },
    'The resolver of the egress does not answer: check it there.',
  ),
  CONNECTION_REFUSED: stream(
    20,
    { origin: 'service', retryable: true, local: [5, 502, 'connection_refused'] },
    'Nothing listens on that port: check that the service runs and the port is right.',
  ),
  HOST_UNREACHABLE: stream(
    21,
    { origin: 'service', retryable: true, local: [4, 502, 'destination_ip_unroutable'] },
    'The egress has no path to that host: check its routes and firewalls.',
  ),
  NETWORK_UNREACHABLE: stream(
    22,
    { origin: 'service', retryable: true, local: [3, 502, 'destination_ip_unroutable'] },
    'The egress has no route to that network: check its routes.',
  ),
  DIAL_TIMEOUT: stream(
    23,
    { origin: 'service', retryable: true, local: [4, 504, 'connection_timeout'] },
    'The service does not answer: check firewalls between the egress and it, or raise --dial-timeout.',
  ),
  CONNECTION_RESET: stream(
    24,
    { origin: 'service', retryable: true, local: [1, 502, 'connection_terminated'] },
    'The other side reset the connection.',
  ),
  PEER_GONE: stream(
    25,
    { origin: 'service', retryable: true, local: [1, 502, 'connection_terminated'] },
    'The other side closed before it had read everything.',
  ),
  IDLE_TIMEOUT: stream(
    26,
    { origin: 'service', retryable: true, local: [1, 504, 'connection_read_timeout'] },
    'No bytes moved for the configured time: raise --idle-timeout or use keepalives in the application.',
  ),
  LIMIT_STREAMS: stream(
    27,
    { origin: 'policy', retryable: true, local: [1, 503, 'connection_limit_reached'] },
    'Too many connections are open for this identity: close some, or raise --max-streams-per-identity at the egress.',
  ),
  OVERLOAD: stream(
    28,
    { origin: 'policy', retryable: true, local: [1, 503, 'connection_limit_reached'] },
    'The egress is at its limit: retry later, or raise its limits.',
  ),
  UNSUPPORTED: stream(
    29,
    { origin: 'link', retryable: false, local: [7, 501, 'proxy_configuration_error'] },
    'The other end does not know this feature: upgrade the older of the two.',
  ),
  UNKNOWN_SERVICE: stream(
    30,
    { origin: 'policy', retryable: false, local: [4, 404, 'destination_not_found'] },
    'The policy of the egress defines no service of that name: check the spelling.',
  ),
  LIMIT_SESSIONS: link(
    31,
    true,
    'Too many sessions are open for this identity: stop some ingresses, or raise --max-sessions-per-identity at ' +
      'the egress.',
  ),
  CLIENT_CERT_MISSING: denied(32, 'Give the ingress a client certificate with --cert and --key.'),
  CLIENT_CERT_UNKNOWN_CA: denied(33, 'Use a certificate issued by the CA that the egress trusts (its --client-ca).'),
  CLIENT_CERT_EXPIRED: denied(
    34,
    'Renew it (adit ca issue client NAME --renew); if it looks valid, compare the clocks.',
  ),
  CLIENT_CERT_NOT_YET_VALID: denied(
    35,
    'The certificate starts in the future: compare the clocks of the two machines.',
  ),
  CLIENT_CERT_WRONG_USAGE: denied(
    36,
    'This certificate is not for clients: issue one with "adit ca issue client NAME".',
  ),
  CLIENT_CERT_REVOKED: denied(37, 'The certificate was revoked: ask the owner of the CA for a new identity.'),
  CLIENT_CERT_NO_IDENTITY: denied(
    38,
    'The certificate names no client identity (URI SAN spiffe://TRUST-DOMAIN/client/NAME): issue one with "adit ' +
      'ca issue client NAME".',
  ),
  IDENTITY_NOT_IN_POLICY: denied(
    39,
    'No rule of the policy names this identity or its groups: ask the owner of the egress.',
  ),
  VERSION: denied(40, 'The two ends share no protocol version: upgrade the older of the two.'),
  CLIENT_CERT_INVALID: denied(41, 'The certificate does not verify: look at it with "adit ca show FILE".'),
  REVOCATION_STALE: link(
    42,
    true,
    'The revocation list is out of date or missing: run "adit ca crl" on the CA and copy the file to the side ' +
      'that refused.',
  ),
  NOT_RESUMABLE: link(
    48,
    false,
    'The egress does not know this session any more: open connections are reset, new ones work.',
  ),
  RESUME_EXPIRED: link(
    49,
    false,
    'The session was away for longer than the resume window: open connections are reset, new ones work.',
  ),
  WRONG_INSTANCE: link(
    50,
    false,
    'Another egress owns this session: check the load balancer in front of the egresses.',
  ),
  BAD_OFFSET: link(
    51,
    false,
    'The two ends disagree about what was delivered: open connections are reset, new ones work.',
  ),
  SUPERSEDED: link(52, true, 'A newer carrier took over this session.'),
  DRAINING: link(
    53,
    true,
    'The egress is shutting down: another one, or the same one after its restart, takes new connections.',
  ),
  CERT_EXPIRED: denied(
    54,
    'The certificate expired while the session was open: renew it (adit ca issue client NAME --renew).',
  ),
  REVOKED: denied(55, 'The certificate was revoked while the session was open.'),
  POLICY_RELOADED: stream(
    56,
    { origin: 'policy', retryable: false, local: [2, 403, 'http_request_denied'] },
    'The policy changed and no longer allows this destination.',
  ),
  SERVICE_TLS_FAILED: stream(
    58,
    { origin: 'service', retryable: true, local: [1, 502, 'tls_certificate_error'] },
    'The egress could not verify the service: check its certificate, and "ca" and "server-name" of the service ' +
      'in the policy, or --service-ca of the egress.',
  ),
  VIA_LOOP: stream(
    59,
    { origin: 'service', retryable: false, local: [1, 508, 'proxy_loop_detected'] },
    'The next hops of the egresses lead in a circle, or over more than 8 of them: look at "via" in their policies.',
  ),
  VIA_FAILED: stream(
    60,
    { origin: 'service', retryable: true, local: [1, 502, 'destination_unavailable'] },
    'The proxy that the egress goes through ("via" in its policy) cannot be used: its log says why.',
  ),
  USAGE: ours(2, 'config', 'See --help.'),
  CONFIG_INVALID: ours(2, 'config', 'Correct the value that is named.'),
  CONFIG_UNKNOWN_KEY: ours(2, 'config', 'Remove the key or correct its spelling.'),
  POLICY_INVALID: ours(2, 'config', 'Correct the policy file; "adit policy check FILE" tests it.'),
  CREDENTIALS_UNUSABLE: ours(3, 'config', 'Check --cert and --key with "adit ca show FILE".'),
  ACTIVATION_INVALID: ours(
    2,
    'config',
    'Compare FileDescriptorName= of the .socket units with the systemd:NAME of the options.',
  ),
  TRANSPARENT_UNAVAILABLE: ours(2, 'config', 'Or leave --transparent away: --socks and --http-proxy work everywhere.'),
  LISTEN_FAILED: ours(1, 'local', 'Choose another address or port, or stop the program that uses it.'),
  EGRESS_UNREACHABLE: {
    ...ours(1, 'link', 'Check the address of the egress, the network, and that the egress runs.'),
    retryable: true,
    http: 503,
    proxyStatus: 'destination_unavailable',
  },
  EGRESS_CERT_INVALID: {
    ...ours(
      1,
      'link',
      'Check --ca, and that the certificate of the egress covers the name given with --egress (or --server-name).',
    ),
    retryable: true,
    http: 502,
    proxyStatus: 'tls_certificate_error',
  },
  LINK_TIMEOUT: {
    ...ours(1, 'link', 'Nothing came back in time: check the network on the way, and what listens at that address.'),
    retryable: true,
    http: 504,
    proxyStatus: 'connection_timeout',
  },
  LINK_LOST: {
    ...ours(1, 'link', 'The connection to the egress broke: open connections were reset, a new session is being made.'),
    retryable: true,
    http: 502,
    proxyStatus: 'connection_terminated',
    wire: 57,
  },
  PROXY_FAILED: {
    ...ours(
      1,
      'link',
      'Check the address of the proxy (--proxy, --proxy-file or HTTPS_PROXY), that it runs, and for an https:// ' +
        'one --proxy-ca and --proxy-cert.',
    ),
    retryable: true,
    http: 502,
    proxyStatus: 'destination_unavailable',
  },
  PROXY_REFUSED: {
    ...ours(
      1,
      'link',
      'Ask whoever runs the proxy to allow CONNECT to the host and port of the egress; most allow port 443.',
    ),
    retryable: true,
    http: 502,
    proxyStatus: 'destination_unavailable',
  },
  PROXY_AUTH_REQUIRED: {
    ...ours(
      1,
      'link',
      'Give the proxy the right user and password: in a file of mode 0600 that --proxy-file names, in the ' +
        'configuration file, or in ADIT_PROXY.',
    ),
    retryable: true,
    http: 502,
    proxyStatus: 'destination_unavailable',
  },
  INGRESS_GONE: ours(
    1,
    'local',
    'Start the ingress of this --control-socket again; --egress, --cert, --key and --ca make a session of their ' +
      'own where none runs.',
  ),
  CLIENT_MALFORMED: {
    ...ours(1, 'local', 'The local client does not speak what this port expects: check its proxy settings.'),
    http: 400,
    proxyStatus: 'http_request_error',
  },
  CLIENT_TIMEOUT: {
    ...ours(
      1,
      'local',
      'The local client connected and did not say where to: check that it is a client of this kind of proxy.',
    ),
    retryable: true,
    http: 408,
    proxyStatus: 'http_request_error',
  },
  CLIENT_UNAUTHENTICATED: {
    ...ours(1, 'local', 'Give the client a user and password of --socks-auth-file or --http-proxy-auth-file.'),
    socks: 2,
    http: 407,
    proxyStatus: 'http_request_denied',
  },
  CLIENT_UNSUPPORTED: {
    ...ours(1, 'local', 'The client asks for something that this front end does not do.'),
    socks: 7,
    http: 501,
    proxyStatus: 'http_request_error',
  },
  CLIENT_TLS_FAILED: {
    ...ours(
      1,
      'local',
      'The local client has to trust the issuer of --tls-cert, connect to a name that is in it, and speak TLS ' +
        '1.2 or newer.',
    ),
    http: 400,
    proxyStatus: 'tls_protocol_error',
  },
  CLIENT_NO_ROUTE: {
    ...ours(
      1,
      'local',
      'Give the name that the client asks for a route with --sni-route, or * for every other client.',
    ),
    http: 404,
    proxyStatus: 'destination_not_found',
  },
  CLIENT_NOT_REDIRECTED: {
    ...ours(
      1,
      'local',
      'Connect to the destination itself; "adit ingress --transparent PORT --print-rules" prints the rules that ' +
        'lead connections to this port.',
    ),
    http: 400,
    proxyStatus: 'http_request_error',
  },
  TRANSPARENT_LOOP: {
    ...ours(
      1,
      'local',
      'Run the ingress as a user of its own, whom the rules leave alone: "adit ingress --transparent PORT ' +
        '--print-rules" prints such rules.',
    ),
    http: 502,
    proxyStatus: 'proxy_loop_detected',
  },
  CA_EXISTS: ours(1, 'local', 'Choose another --dir; a CA is never overwritten.'),
  CA_MISSING: ours(1, 'local', 'Make a CA with "adit ca init", or name its folder with --dir.'),
  CA_BUSY: { ...ours(1, 'local', 'Another adit command holds the store: wait for it to end.'), retryable: true },
  CA_PASSPHRASE: ours(1, 'local', 'Give the right passphrase with --passphrase-file or ADIT_CA_PASSPHRASE.'),
  CA_CORRUPT: ours(1, 'local', 'The store is damaged: restore it from a backup.'),
  NAME_INVALID: ours(2, 'config', 'Use letters, digits, dot, dash and underscore.'),
  NAME_TAKEN: ours(1, 'local', 'Renew it with --renew, revoke the old certificate first, or choose another name.'),
  FILE_EXISTS: ours(1, 'local', 'Choose another --out, or move the old file away; keys are never overwritten.'),
  FILE_UNREADABLE: ours(1, 'local', 'Check the path and its permissions.'),
  NOT_FOUND: ours(1, 'local', 'List what there is with "adit ca list".'),
  REQUEST_INVALID: ours(1, 'local', 'Make a new request with "adit ca request NAME".'),
} as const satisfies Record<string, CodeRow>;

export type Code = keyof typeof codes;

/**
 * The one error class. `message` is a whole sentence, safe to show to the user and to log; `advice` comes from the
 * table.
 */
export class AditError extends Error {
  override readonly name = 'AditError';
  readonly code: Code;
  /** Who said no: this process, or the next hop that it asked. */
  readonly by: 'us' | 'next-hop';
  constructor(
    code: Code,
    message: string,
    { by = 'us', ...options }: { cause?: unknown; by?: 'us' | 'next-hop' } = {},
  ) {
    super(message, options);
    this.code = code;
    this.by = by;
  }
  get row(): CodeRow {
    return codes[this.code];
  }
  get origin(): Origin {
    return this.row.origin;
  }
  get retryable(): boolean {
    return this.row.retryable;
  }
  get advice(): string {
    return this.row.advice;
  }
  get exitStatus(): number {
    return this.row.exit;
  }
}

const byWire = new Map<number, Code>(
  (Object.entries(codes) as [Code, CodeRow][]).flatMap(([code, { wire }]) =>
    wire === undefined ? [] : [[wire, code]],
  ),
);

/** Is this a name of the table? */
export function isCode(value: unknown): value is Code {
  return typeof value === 'string' && Object.hasOwn(codes, value);
}

/** The code of a wire number; a number of a newer peer reads as INTERNAL. */
export function codeOfWire(wire: number): Code {
  return byWire.get(wire) ?? 'INTERNAL';
}

/** The wire number of a code; a code that never crosses the wire goes out as INTERNAL (2). */
export function wireOfCode(code: Code): number {
  const row: CodeRow = codes[code];
  return row.wire ?? 2;
}

/** The message of anything thrown, for `cause` chains and logs. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

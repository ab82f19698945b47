/**
 * Everything `adit ingress` can be told: the table its flags, variables, keys and help come from, and the typed result.
 * Rule: a value that is missing, unknown or wrong stops the start; after this file everything is trusted.
 * Not here: reading certificates (run.ts does).
 */
import { resolve } from 'node:path';
import { resolveOptions, type Sources } from '@adit/shared/config/resolve';
import type { Setting, Settings } from '@adit/shared/config/setting';
import { parseAlpnName } from '@adit/shared/config/values/alpn-name';
import { choice, parseSwitch } from '@adit/shared/config/values/choice';
import { parseControlSocket } from '@adit/shared/config/values/control-socket';
import { parseDeadline, parseDuration } from '@adit/shared/config/values/duration';
import { type EgressAddress, parseEgressAddress } from '@adit/shared/config/values/egress-address';
import { parsePath } from '@adit/shared/config/values/file-path';
import { type Forward, parseForward } from '@adit/shared/config/values/forward';
import { type HeaderField, parseHeader } from '@adit/shared/config/values/header';
import { parseServerName } from '@adit/shared/config/values/host-port';
import { type ListenSpec, parseListenSpec } from '@adit/shared/config/values/listen-at';
import { parseProxy, withoutPassword } from '@adit/shared/config/values/proxy-url';
import { parseReplaySize } from '@adit/shared/config/values/size';
import { parseSniRoute } from '@adit/shared/config/values/sni-route';
import { parseTransparentSpec, type TransparentSpec } from '@adit/shared/config/values/transparent-listen';
import { defaultWsPath, parseUrlPath } from '@adit/shared/config/values/url-path';
import { AditError } from '@adit/shared/errors';
import { type LogFormat, logFormats, type LogLevel, logLevels } from '@adit/shared/observe/log-settings';
import { safeText } from '@adit/shared/observe/safe-text';
import { formatHostPort } from '@adit/shared/protocol/destination';
import { carrierChoices } from './link/dialer.ts';
import { proxyOfEnvironment } from './proxy/environment-proxy.ts';
import type { ProxyOptions } from './proxy/proxies.ts';
import { refuseTlsOptions, type TlsOptions } from './tls-options.ts';

const selections = ['priority', 'round-robin'] as const;

export const ingressSettings = {
  egress: {
    name: 'egress',
    argument: 'HOST:PORT',
    many: true,
    required: true,
    parse: parseEgressAddress,
    help:
      'an egress to connect to; or wss://HOST[:PORT][/PATH] for a WebSocket, connect://HOST:PORT or ' +
      'connect+h2://HOST:PORT for a CONNECT proxy, or srv:NAME for those that DNS SRV records list; the first is ' +
      'preferred',
  },
  carrier: {
    name: 'carrier',
    argument: 'WHICH',
    fallback: 'auto',
    parse: choice(carrierChoices),
    help: 'how sessions cross the network: tls, websocket, or auto: TLS, and WebSocket where TLS does not get through',
  },
  wsPath: {
    name: 'ws-path',
    argument: 'PATH',
    fallback: defaultWsPath,
    parse: parseUrlPath,
    help: 'path of the WebSocket, where --egress has none',
  },
  headers: {
    name: 'header',
    argument: 'NAME: VALUE',
    many: true,
    parse: parseHeader,
    help:
      'sent when a WebSocket is asked for, for what stands before the egress; secrets belong into the variable or ' +
      'the file',
  },
  outerCa: {
    name: 'outer-ca',
    argument: 'FILE',
    parse: parsePath,
    help: 'CA certificates, beside those of the system, for what ends TLS before the egress, PEM',
  },
  proxy: {
    name: 'proxy',
    argument: 'URL',
    parse: parseProxy,
    shown: withoutPassword,
    help:
      'http://, https:// or socks5:// proxy that is asked for every connection to an egress; none: not even the ' +
      'one of HTTPS_PROXY. A password is not for the command line: --proxy-file',
  },
  proxyFile: {
    name: 'proxy-file',
    argument: 'FILE',
    parse: parsePath,
    help: 'holds the URL of the proxy with user and password, readable by nobody else',
  },
  proxyCa: {
    name: 'proxy-ca',
    argument: 'FILE',
    parse: parsePath,
    help: 'CA certificates, beside those of the system, for an https:// proxy, PEM',
  },
  proxyCert: {
    name: 'proxy-cert',
    argument: 'FILE',
    parse: parsePath,
    help: 'certificate to show to an https:// proxy, PEM',
  },
  proxyKey: { name: 'proxy-key', argument: 'FILE', parse: parsePath, help: 'its private key, PEM' },
  select: {
    name: 'select',
    argument: 'WHICH',
    fallback: 'priority',
    parse: choice(selections),
    help: 'among several egresses: priority (the first that is up) or round-robin',
  },
  maxCarrierAgeMs: {
    name: 'max-carrier-age',
    argument: 'DURATION',
    fallback: '0',
    parse: parseDuration,
    help: 'move sessions to a fresh connection after so long, without loss; 0 never',
  },
  cert: { name: 'cert', argument: 'FILE', required: true, parse: parsePath, help: 'your client certificate, PEM' },
  key: {
    name: 'key',
    argument: 'FILE',
    required: true,
    parse: parsePath,
    help: 'its private key, PEM, readable by nobody else',
  },
  ca: {
    name: 'ca',
    argument: 'FILE',
    required: true,
    parse: parsePath,
    help: 'CA certificates that the egress may be issued by, PEM',
  },
  crl: { name: 'crl', argument: 'FILE', parse: parsePath, help: 'revocation list of that CA; "adit ca crl" makes it' },
  forwards: {
    name: 'forward',
    short: 'L',
    argument: 'SPEC',
    many: true,
    parse: parseForward,
    help:
      '[BIND:]PORT:HOST:PORT, [BIND:]PORT:SERVICE; instead of [BIND:]PORT also the path of a Unix socket, or ' +
      'systemd:NAME; ?accept-proxy behind it expects PROXY protocol headers',
  },
  socks: {
    name: 'socks',
    short: 'D',
    argument: '[BIND:]PORT',
    many: true,
    parse: parseListenSpec,
    help: 'a SOCKS proxy there (5, 4a, 4), or at the path of a Unix socket; names are resolved at the egress',
  },
  socksAuthFile: {
    name: 'socks-auth-file',
    argument: 'FILE',
    parse: parsePath,
    help: 'who may use it: lines of USER:PASSWORD, readable by nobody else',
  },
  httpProxy: {
    name: 'http-proxy',
    argument: '[BIND:]PORT',
    many: true,
    parse: parseListenSpec,
    help: 'an HTTP proxy there: CONNECT, and http:// requests',
  },
  httpProxyAuthFile: {
    name: 'http-proxy-auth-file',
    argument: 'FILE',
    parse: parsePath,
    help: 'who may use it: lines of USER:PASSWORD, readable by nobody else',
  },
  mixed: {
    name: 'mixed',
    argument: '[BIND:]PORT',
    many: true,
    parse: parseListenSpec,
    help: 'both proxies on one port, told apart by the first byte; TLS too, where there is --sni-route',
  },
  sni: {
    name: 'sni',
    argument: '[BIND:]PORT',
    many: true,
    parse: parseListenSpec,
    help: 'TLS connections there go, untouched, where --sni-route says for the name that they ask for',
  },
  sniRoutes: {
    name: 'sni-route',
    argument: 'ROUTE',
    many: true,
    parse: parseSniRoute,
    help:
      'PATTERN=DESTINATION: www.example.com=web.internal:443, *.example.com=SERVICE, *.corp=:443 (the name ' +
      'itself), *=refuse; the most specific wins',
  },
  tlsListen: {
    name: 'tls-listen',
    argument: 'SPEC',
    many: true,
    parse: parseForward,
    help:
      'as --forward, for TLS clients, whose TLS ends here; tls://HOST:PORT as the destination has the egress ' +
      'speak TLS again',
  },
  tlsCerts: {
    name: 'tls-cert',
    argument: 'FILE',
    many: true,
    parse: parsePath,
    help:
      'certificate that --tls-listen shows, PEM; of several the one with the name that the client asks for, or ' +
      'the first',
  },
  tlsKeys: {
    name: 'tls-key',
    argument: 'FILE',
    many: true,
    parse: parsePath,
    help: 'its private key, PEM, readable by nobody else; of several in the order of --tls-cert',
  },
  tlsAlpn: {
    name: 'tls-alpn',
    argument: 'NAME',
    many: true,
    parse: parseAlpnName,
    help:
      'protocol that the services of --tls-listen speak (h2, http/1.1), preferred first: the first that the ' +
      'client offers is agreed (ALPN)',
  },
  transparent: {
    name: 'transparent',
    argument: '[BIND:]PORT',
    many: true,
    parse: parseTransparentSpec,
    help:
      'on Linux: connections that a firewall redirects there (REDIRECT, DNAT; ?tproxy behind it: TPROXY) go to ' +
      'the address that was dialled',
  },
  printRules: {
    name: 'print-rules',
    fallback: 'false',
    parse: parseSwitch,
    help: 'print a script with rules of nftables and iptables that lead connections to --transparent, then exit',
  },
  controlSocket: {
    name: 'control-socket',
    argument: 'PATH',
    parse: parseControlSocket,
    help: 'a Unix socket at which "adit connect" uses this session, for its owner only; none: no such socket',
  },
  serverName: {
    name: 'server-name',
    argument: 'NAME',
    parse: parseServerName,
    help: 'name in the certificate of the egress, where it is not the host of --egress',
  },
  connectTimeoutMs: {
    name: 'connect-timeout',
    argument: 'DURATION',
    fallback: '10s',
    parse: parseDeadline,
    help: 'how long a local connection waits for the egress',
  },
  idleTimeoutMs: {
    name: 'idle-timeout',
    argument: 'DURATION',
    fallback: '0',
    parse: parseDuration,
    help: 'reset a connection that moved no byte for so long; 0 never',
  },
  drainTimeoutMs: {
    name: 'drain-timeout',
    argument: 'DURATION',
    fallback: '5s',
    parse: parseDuration,
    help: 'how long connections may finish after SIGTERM; 0 cuts at once',
  },
  maxReplayPerSession: {
    name: 'max-replay-per-session',
    argument: 'SIZE',
    fallback: '8M',
    parse: parseReplaySize,
    help: 'bytes that a session keeps until they are acknowledged; then it stops reading',
  },
  logLevel: {
    name: 'log-level',
    argument: 'LEVEL',
    fallback: 'info',
    parse: choice(logLevels),
    help: 'debug, info, warn or error',
  },
  logFormat: {
    name: 'log-format',
    argument: 'FORMAT',
    fallback: 'auto',
    parse: choice(logFormats),
    help: 'json, pretty, or auto: pretty on a terminal',
  },
  check: {
    name: 'check',
    fallback: 'false',
    parse: parseSwitch,
    help: 'validate everything that can be validated, then exit',
  },
} as const satisfies Settings;

/**
 * The trusted options of a running ingress. Files are paths; times are milliseconds; an idle or drain time of 0 is off.
 */
export interface IngressOptions extends ProxyOptions, TlsOptions {
  /** One at least, in order of preference. */
  readonly egress: readonly EgressAddress[];
  readonly select: (typeof selections)[number];
  readonly carrier: (typeof carrierChoices)[number];
  readonly wsPath: string;
  readonly headers: readonly HeaderField[];
  readonly outerCa?: string;
  readonly maxCarrierAgeMs: number;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly crl?: string;
  /** These and the proxies: one at least. */
  readonly forwards: readonly Forward[];
  readonly socks: readonly ListenSpec[];
  readonly socksAuthFile?: string;
  readonly httpProxy: readonly ListenSpec[];
  readonly httpProxyAuthFile?: string;
  /** Where `adit connect` asks; `none` is nowhere. */
  readonly controlSocket?: string;
  readonly transparent: readonly TransparentSpec[];
  readonly printRules: boolean;
  /** Absent: the host of each egress. */
  readonly serverName?: string;
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly maxReplayPerSession: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly check: boolean;
}

/**
 * Flags, environment and file to options; throws one AditError (USAGE, CONFIG_INVALID, CONFIG_UNKNOWN_KEY) with every
 * complaint.
 */
export function resolveIngressOptions(sources: Sources): IngressOptions {
  const options = resolveOptions(ingressSettings, sources);
  refuseListeners(options);
  refuseTlsOptions(options);
  return withProxy(options, sources);
}

/**
 * What --print-rules needs, or undefined where it is not asked for: nothing but the listeners has to be given. Throws
 * as the above.
 */
export function resolveRules(sources: Sources): readonly TransparentSpec[] | undefined {
  if (sources.flags['printRules'] === undefined && sources.environment['ADIT_PRINT_RULES'] === undefined)
    return undefined;
  const optional = Object.fromEntries(
    Object.entries(ingressSettings as Settings).map(([field, setting]) => [
      field,
      Object.fromEntries(Object.entries(setting).filter(([key]) => key !== 'required')) as unknown as Setting,
    ]),
  );
  const { printRules, transparent } = resolveOptions(optional, sources) as Pick<
    IngressOptions,
    'printRules' | 'transparent'
  >;
  return printRules ? transparent : undefined;
}

/**
 * Judges what the options say about a proxy, and looks into the environment where they say nothing. Throws AditError.
 */
export function withProxy(options: IngressOptions, sources: Sources): IngressOptions {
  refuseProxies(options, sources.flags['proxy'] ?? []);
  const environmentProxy =
    options.proxy === undefined && options.proxyFile === undefined
      ? proxyOfEnvironment(sources.environment)
      : undefined;
  return environmentProxy ? Object.freeze({ ...options, environmentProxy }) : options;
}

/** What is right by itself and wrong together, or in the wrong place. */
function refuseProxies({ proxy, proxyFile, proxyCert, proxyKey }: IngressOptions, flags: readonly string[]): void {
  if (flags.some((text) => text.includes('@')))
    throw new AditError(
      'USAGE',
      '--proxy: every user of this machine can read a password on the command line; put the URL into a file of ' +
        'mode 0600 and name it with --proxy-file, or use ADIT_PROXY or the configuration file',
    );
  if (proxyFile !== undefined && proxy !== undefined && proxy !== 'none')
    throw new AditError('CONFIG_INVALID', '--proxy and --proxy-file both name a proxy: keep one');
  if ((proxyCert === undefined) !== (proxyKey === undefined))
    throw new AditError(
      'CONFIG_INVALID',
      `--proxy-cert and --proxy-key belong together: --proxy-${proxyCert === undefined ? 'cert' : 'key'} is missing`,
    );
}

/**
 * Nothing to listen on, a password file without its proxy, or two listeners in one place: that the second one fails
 * would else be said after the first has begun to serve.
 */
function refuseListeners({
  forwards,
  socks,
  httpProxy,
  mixed,
  tlsListen,
  sni,
  transparent,
  controlSocket = 'none',
  socksAuthFile,
  httpProxyAuthFile,
}: IngressOptions): void {
  const flagged = Object.entries({
    forward: forwards,
    socks,
    'http-proxy': httpProxy,
    mixed,
    'tls-listen': tlsListen,
    sni,
    transparent,
  }).flatMap(([flag, specs]) => specs.map((spec) => ({ flag, ...spec })));
  if (controlSocket !== 'none')
    flagged.push({ flag: 'control-socket', listen: { kind: 'unix', path: controlSocket }, spec: controlSocket });
  if (flagged.length === 0)
    throw new AditError(
      'USAGE',
      'there is nothing to listen on: give --forward, --socks, --http-proxy, --mixed, --sni, --tls-listen, ' +
        '--transparent or --control-socket, there, as ADIT_FORWARD and so on in the environment, or as "forward:" ' +
        'and so on in the file of --config',
    );
  if (socksAuthFile !== undefined && socks.length + mixed.length === 0)
    throw new AditError('CONFIG_INVALID', '--socks-auth-file is for --socks and --mixed, and there is neither');
  if (httpProxyAuthFile !== undefined && httpProxy.length + mixed.length === 0)
    throw new AditError(
      'CONFIG_INVALID',
      '--http-proxy-auth-file is for --http-proxy and --mixed, and there is neither',
    );
  if (mixed.length > 0 && (socksAuthFile === undefined) !== (httpProxyAuthFile === undefined))
    throw new AditError(
      'CONFIG_INVALID',
      `--mixed asks both proxies' clients for a password, or nobody: ` +
        `--${socksAuthFile === undefined ? 'socks' : 'http-proxy'}-auth-file is missing (the file may be the ` +
        'same)',
    );
  const taken = new Map<string, string>();
  for (const { flag, listen, spec } of flagged) {
    if (listen.kind === 'tcp' && listen.port === 0) continue;
    const place =
      listen.kind === 'tcp'
        ? formatHostPort(listen.host, listen.port)
        : listen.kind === 'systemd'
          ? `systemd:${listen.name}`
          : resolve(listen.path);
    const earlier = taken.get(place);
    if (earlier !== undefined)
      throw new AditError('CONFIG_INVALID', `--${flag} "${safeText(spec)}" listens where ${earlier} does`);
    taken.set(place, `--${flag} "${safeText(spec)}"`);
  }
}

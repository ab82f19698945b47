/**
 * The table of everything that `adit ingress` can be told: one row for each flag, from which its variable, its key, its
 * help and the type of its option follow.
 * Not here: what is wrong about several of them together (the files beside this one).
 */
import { processSettings } from '@adit/shared/config/process-settings';
import type { Settings } from '@adit/shared/config/setting';
import { parseAlpnName } from '@adit/shared/config/values/alpn-name';
import { choice, parseSwitch } from '@adit/shared/config/values/choice';
import { parseControlSocket } from '@adit/shared/config/values/control-socket';
import { parseDeadline, parseDuration } from '@adit/shared/config/values/duration';
import { parseEgressAddress } from '@adit/shared/config/values/egress-address';
import { parsePath } from '@adit/shared/config/values/file-path';
import { parseForward } from '@adit/shared/config/values/forward';
import { parseHeader } from '@adit/shared/config/values/header';
import { parseServerName } from '@adit/shared/config/values/host-port';
import { parseListenSpec } from '@adit/shared/config/values/listen-at';
import { parseProxy, withoutPassword } from '@adit/shared/config/values/proxy-url';
import { parseReplaySize } from '@adit/shared/config/values/size';
import { parseSniRoute } from '@adit/shared/config/values/sni-route';
import { parseTransparentSpec } from '@adit/shared/config/values/transparent-listen';
import { defaultWsPath, parseUrlPath } from '@adit/shared/config/values/url-path';

const carrierChoices = ['auto', 'tls', 'websocket'] as const;
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
  ...processSettings,
} as const satisfies Settings;

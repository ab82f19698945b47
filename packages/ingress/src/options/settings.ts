/**
 * The table of everything that `adit ingress` can be told: one row for each flag, from which its variable, its key, its
 * help and the type of its option follow.
 * Not here: what is wrong about several of them together (the files beside this one).
 */
import { carrierSettings } from '@adit/shared/config/carrier-settings';
import { processSettings } from '@adit/shared/config/process-settings';
import type { Settings } from '@adit/shared/config/setting';
import { parseAlpnName } from '@adit/shared/config/values/alpn-name';
import { choice, parseSwitch } from '@adit/shared/config/values/choice';
import { parseControlSocket } from '@adit/shared/config/values/control-socket';
import { parseDeadline, parseDuration } from '@adit/shared/config/values/duration';
import { parseEgressAddress } from '@adit/shared/config/values/egress-address';
import { parsePath } from '@adit/shared/config/values/file-path';
import { parseForward } from '@adit/shared/config/values/forward';
import { isCredential, nameOfHeader, parseHeader } from '@adit/shared/config/values/header';
import { parseServerName } from '@adit/shared/config/values/host-port';
import { parseLanesOrAuto } from '@adit/shared/config/values/lanes';
import { parseListenSpec } from '@adit/shared/config/values/listen-at';
import { namesUser, parseProxy, withoutPassword } from '@adit/shared/config/values/proxy-url';
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
      'connect+h2://HOST:PORT for a CONNECT proxy, or srv:NAME for the targets of DNS SRV records; the first ' +
      'is preferred',
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
    help: 'path of the WebSocket, if --egress has none',
  },
  headers: {
    name: 'header',
    argument: 'NAME: VALUE',
    many: true,
    parse: parseHeader,
    hasCredential: isCredential,
    shown: nameOfHeader,
    help:
      'header of the WebSocket request, for what is in front of the egress. Put a credential into --header-file, not ' +
      'on the command line',
  },
  headerFile: {
    name: 'header-file',
    argument: 'FILE',
    parse: parsePath,
    help: 'file with more such headers, NAME: VALUE on each line, readable only by its owner',
  },
  outerCa: {
    name: 'outer-ca',
    argument: 'FILE',
    parse: parsePath,
    help: 'CA certificates, in addition to those of the system, for what terminates TLS in front of the egress, PEM',
  },
  proxy: {
    name: 'proxy',
    argument: 'URL',
    parse: parseProxy,
    hasCredential: namesUser,
    shown: withoutPassword,
    help:
      'http://, https:// or socks5:// proxy for every connection to an egress; none: no proxy, not even that ' +
      'of HTTPS_PROXY. Put a password into --proxy-file, not on the command line',
  },
  proxyFile: {
    name: 'proxy-file',
    argument: 'FILE',
    parse: parsePath,
    help: 'file with the URL of the proxy, with user and password, readable only by its owner',
  },
  proxyCa: {
    name: 'proxy-ca',
    argument: 'FILE',
    parse: parsePath,
    help: 'CA certificates, in addition to those of the system, for an https:// proxy, PEM',
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
    help: 'move sessions to a fresh connection after this time, without loss; 0 never',
  },
  cert: { name: 'cert', argument: 'FILE', required: true, parse: parsePath, help: 'your client certificate, PEM' },
  key: {
    name: 'key',
    argument: 'FILE',
    required: true,
    parse: parsePath,
    help: 'its private key, PEM, readable only by its owner',
  },
  ca: {
    name: 'ca',
    argument: 'FILE',
    required: true,
    parse: parsePath,
    help: 'CA certificates that may issue the certificate of the egress, PEM',
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
      'systemd:NAME; with ?accept-proxy after it, connections begin with a PROXY protocol header',
  },
  socks: {
    name: 'socks',
    short: 'D',
    argument: '[BIND:]PORT',
    many: true,
    parse: parseListenSpec,
    help: 'listen as a SOCKS proxy (5, 4a, 4); also the path of a Unix socket; the egress resolves names',
  },
  socksAuthFile: {
    name: 'socks-auth-file',
    argument: 'FILE',
    parse: parsePath,
    help: 'users of the SOCKS proxy: lines of USER:PASSWORD, readable only by its owner',
  },
  httpProxy: {
    name: 'http-proxy',
    argument: '[BIND:]PORT',
    many: true,
    parse: parseListenSpec,
    help: 'listen as an HTTP proxy: CONNECT, and http:// requests',
  },
  httpProxyAuthFile: {
    name: 'http-proxy-auth-file',
    argument: 'FILE',
    parse: parsePath,
    help: 'users of the HTTP proxy: lines of USER:PASSWORD, readable only by its owner',
  },
  mixed: {
    name: 'mixed',
    argument: '[BIND:]PORT',
    many: true,
    parse: parseListenSpec,
    help: 'both proxies on one port, recognised by the first byte; with --sni-route also TLS',
  },
  sni: {
    name: 'sni',
    argument: '[BIND:]PORT',
    many: true,
    parse: parseListenSpec,
    help: 'listen for TLS connections, and pass them on unchanged to where --sni-route leads their server name',
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
      'like --forward, for TLS clients: their TLS ends here; with tls://HOST:PORT as the destination, the ' +
      'egress speaks TLS again',
  },
  tlsCerts: {
    name: 'tls-cert',
    argument: 'FILE',
    many: true,
    parse: parsePath,
    help: 'certificate of --tls-listen, PEM; of several, the one for the server name of the client, or the first',
  },
  tlsKeys: {
    name: 'tls-key',
    argument: 'FILE',
    many: true,
    parse: parsePath,
    help: 'its private key, PEM, readable only by its owner; of several, in the order of --tls-cert',
  },
  tlsAlpn: {
    name: 'tls-alpn',
    argument: 'NAME',
    many: true,
    parse: parseAlpnName,
    help:
      'protocol of the services of --tls-listen (h2, http/1.1), preferred first; the first that the client ' +
      'offers is selected (ALPN)',
  },
  transparent: {
    name: 'transparent',
    argument: '[BIND:]PORT',
    many: true,
    parse: parseTransparentSpec,
    help:
      'on Linux: listen for connections that a firewall redirects (REDIRECT, DNAT; with ?tproxy after it: ' +
      'TPROXY), and pass them on to the address that the client dialled',
  },
  printRules: {
    name: 'print-rules',
    fallback: 'false',
    parse: parseSwitch,
    help: 'print a script of nftables and iptables rules that redirect connections to --transparent, then exit',
  },
  controlSocket: {
    name: 'control-socket',
    argument: 'PATH',
    parse: parseControlSocket,
    help: 'a Unix socket through which "adit connect" uses this session, for its owner only; none: no socket',
  },
  serverName: {
    name: 'server-name',
    argument: 'NAME',
    parse: parseServerName,
    help: 'name in the certificate of the egress, if it is not the host of --egress',
  },
  connectTimeoutMs: {
    name: 'connect-timeout',
    argument: 'DURATION',
    fallback: '10s',
    parse: parseDeadline,
    help: 'how long a local connection waits for an egress that cannot be reached or does not answer',
  },
  idleTimeoutMs: {
    name: 'idle-timeout',
    argument: 'DURATION',
    fallback: '0',
    parse: parseDuration,
    help: 'reset a connection after this time without a byte; 0 never',
  },
  drainTimeoutMs: {
    name: 'drain-timeout',
    argument: 'DURATION',
    fallback: '5s',
    parse: parseDuration,
    help: 'how long connections may take to finish after SIGTERM; 0 cuts them at once',
  },
  lanes: {
    name: 'lanes',
    argument: 'auto|N',
    fallback: 'auto',
    parse: parseLanesOrAuto,
    help:
      'connections of a session to the egress, at most 8: further ones are opened beside the first while bulk would ' +
      'delay other streams; auto does so where the round trip is 5 ms or more',
  },
  maxReplayPerSession: {
    name: 'max-replay-per-session',
    argument: 'SIZE',
    fallback: '8M',
    parse: parseReplaySize,
    help: 'unacknowledged bytes that a session keeps; at this limit it stops reading',
  },
  ...carrierSettings,
  ...processSettings,
} as const satisfies Settings;

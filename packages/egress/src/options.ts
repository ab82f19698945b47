/**
 * Everything that `adit egress` can be told: a table with one row for each flag, from which its variable, its key, its
 * help and the type of its option follow; and the options themselves.
 * Rule: a value that is missing, unknown or wrong stops the start; after this file everything is trusted.
 * Not here: reading certificates and the policy (run.ts does, and again at each reload).
 */
import { carrierSettings } from '@adit/shared/config/carrier-settings';
import { processSettings } from '@adit/shared/config/process-settings';
import { resolveOptions, type Sources } from '@adit/shared/config/resolve';
import type { Options, Settings } from '@adit/shared/config/setting';
import { parseAddressRange } from '@adit/shared/config/values/address-range';
import { parseCount } from '@adit/shared/config/values/count';
import { parseLanes } from '@adit/shared/config/values/lanes';
import { parseDeadline, parseDuration } from '@adit/shared/config/values/duration';
import { parsePath } from '@adit/shared/config/values/file-path';
import { parseListenPlace } from '@adit/shared/config/values/listen-place';
import { parseReplaySize } from '@adit/shared/config/values/size';
import { defaultWsPath, parseUrlPath } from '@adit/shared/config/values/url-path';
import { AditError } from '@adit/shared/errors';

export const egressSettings = {
  listen: {
    name: 'listen',
    argument: 'HOST:PORT',
    many: true,
    fallback: '127.0.0.1:8443',
    parse: parseListenPlace,
    help:
      'address to listen on; port 0 picks a free one; also the path of a Unix socket, or systemd:NAME; with ' +
      '?accept-proxy after it, connections begin with a PROXY protocol header',
  },
  listenHttp: {
    name: 'listen-http',
    argument: 'HOST:PORT',
    many: true,
    parse: parseListenPlace,
    help:
      'the same without TLS, behind a proxy that terminates TLS; clients prove their identity inside the ' +
      'WebSocket',
  },
  wsPath: {
    name: 'ws-path',
    argument: 'PATH',
    fallback: defaultWsPath,
    parse: parseUrlPath,
    help: 'path of the WebSocket, on every address',
  },
  acceptProxyProtocol: {
    name: 'accept-proxy-protocol',
    argument: 'CIDR',
    many: true,
    parse: parseAddressRange,
    help: 'addresses of load balancers: their connections must begin with a PROXY protocol header, v1 or v2',
  },
  cert: {
    name: 'cert',
    argument: 'FILE',
    required: true,
    parse: parsePath,
    help: 'certificate chain of this egress, PEM',
  },
  key: {
    name: 'key',
    argument: 'FILE',
    required: true,
    parse: parsePath,
    help: 'its private key, PEM, readable only by its owner',
  },
  clientCa: {
    name: 'client-ca',
    argument: 'FILE',
    required: true,
    parse: parsePath,
    help: 'CA certificates that may issue client certificates, PEM',
  },
  crl: { name: 'crl', argument: 'FILE', parse: parsePath, help: 'revocation list of that CA; "adit ca crl" makes it' },
  policy: {
    name: 'policy',
    argument: 'FILE',
    required: true,
    parse: parsePath,
    help: 'who may reach what; "adit policy check FILE" tests it',
  },
  serviceCa: {
    name: 'service-ca',
    argument: 'FILE',
    parse: parsePath,
    help: 'CA certificates, in addition to those of the system, for services that are reached as tls://HOST:PORT, PEM',
  },
  serviceCert: {
    name: 'service-cert',
    argument: 'FILE',
    parse: parsePath,
    help: 'certificate to show to services that are reached as tls://HOST:PORT, PEM',
  },
  serviceKey: {
    name: 'service-key',
    argument: 'FILE',
    parse: parsePath,
    help: 'its private key, PEM, readable only by its owner',
  },
  handshakeTimeoutMs: {
    name: 'handshake-timeout',
    argument: 'DURATION',
    fallback: '10s',
    parse: parseDeadline,
    help: 'from accept to a proven identity',
  },
  dialTimeoutMs: {
    name: 'dial-timeout',
    argument: 'DURATION',
    fallback: '10s',
    parse: parseDeadline,
    help: 'resolving and connecting to a service',
  },
  idleTimeoutMs: {
    name: 'idle-timeout',
    argument: 'DURATION',
    fallback: '0',
    parse: parseDuration,
    help: 'reset a stream after this time without a byte; 0 never',
  },
  drainTimeoutMs: {
    name: 'drain-timeout',
    argument: 'DURATION',
    fallback: '30s',
    parse: parseDuration,
    help: 'how long streams may take to finish after SIGTERM; 0 cuts them at once',
  },
  maxStreams: { name: 'max-streams', argument: 'N', fallback: '65536', parse: parseCount, help: 'open streams in all' },
  maxStreamsPerIdentity: {
    name: 'max-streams-per-identity',
    argument: 'N',
    fallback: '4096',
    parse: parseCount,
    help: 'open streams of one identity',
  },
  maxSessionsPerIdentity: {
    name: 'max-sessions-per-identity',
    argument: 'N',
    fallback: '32',
    parse: parseCount,
    help: 'sessions of one identity',
  },
  maxLanesPerSession: {
    name: 'max-lanes-per-session',
    argument: 'N',
    fallback: '8',
    parse: parseLanes,
    help: 'connections of one session, 1 to 8; the ingress opens further ones so that bulk delays nothing else',
  },
  maxFailedStreamsPerIdentity: {
    name: 'max-failed-streams-per-identity',
    argument: 'N',
    fallback: '500',
    parse: parseCount,
    help:
      'streams of one identity that are refused, or given up before they are open, per second; 20 times as many at ' +
      'once; beyond it the identity is sent away for 2 s',
  },
  maxWaitingPerIdentity: {
    name: 'max-waiting-per-identity',
    argument: 'SIZE',
    fallback: '256M',
    parse: parseReplaySize,
    help: 'bytes of one identity that wait for services; beyond it, the stream that holds most is reset',
  },
  maxHandshakes: {
    name: 'max-handshakes',
    argument: 'N',
    fallback: '256',
    parse: parseCount,
    help: 'connections that have not proven an identity yet',
  },
  resumeWindowMs: {
    name: 'resume-window',
    argument: 'DURATION',
    fallback: '5m',
    parse: parseDuration,
    help: 'how long a session without a connection waits to be resumed; 0 not at all',
  },
  maxDetachedPerIdentity: {
    name: 'max-detached-per-identity',
    argument: 'N',
    fallback: '8',
    parse: parseCount,
    help: 'sessions of one identity that wait to be resumed; beyond it, the one that waited longest ends',
  },
  maxReplayPerSession: {
    name: 'max-replay-per-session',
    argument: 'SIZE',
    fallback: '8M',
    parse: parseReplaySize,
    help: 'unacknowledged bytes that a session keeps; at this limit it stops reading',
  },
  maxReplayPerIdentity: {
    name: 'max-replay-per-identity',
    argument: 'SIZE',
    fallback: '64M',
    parse: parseReplaySize,
    help: 'bytes that the waiting sessions of one identity keep',
  },
  maxReplay: {
    name: 'max-replay',
    argument: 'SIZE',
    fallback: '512M',
    parse: parseReplaySize,
    help: 'bytes that all waiting sessions keep',
  },
  ...carrierSettings,
  ...processSettings,
} as const satisfies Settings;

/**
 * The trusted options of a running egress. Files are paths; times are milliseconds; an idle or drain time of 0 is off.
 */
export type EgressOptions = Options<typeof egressSettings>;

/**
 * Flags, environment and file to options; throws one AditError (USAGE, CONFIG_INVALID, CONFIG_UNKNOWN_KEY) with every
 * complaint.
 */
export function resolveEgressOptions(sources: Sources): EgressOptions {
  const options = resolveOptions(egressSettings, sources);
  const { serviceCert, serviceKey } = options;
  if ((serviceCert === undefined) !== (serviceKey === undefined))
    throw new AditError(
      'CONFIG_INVALID',
      '--service-cert and --service-key belong together: ' +
        `--service-${serviceCert === undefined ? 'cert' : 'key'} is missing`,
    );
  return options;
}

/**
 * The options of `adit connect`: those of `adit ingress` that concern its session, so that one file serves both, and
 * the control socket.
 * Rule: options that only listeners need are checked and ignored. Without a control socket the options must suffice for
 * a session of its own.
 */
import { quote } from '@adit/shared/config/complaint';
import { resolveOptions, type Sources } from '@adit/shared/config/resolve';
import { allOptional, optional, type Settings } from '@adit/shared/config/setting';
import { AditError } from '@adit/shared/errors';
import type { LogFormat, LogLevel } from '@adit/shared/observe/log-settings';
import { type Destination, parseAnyDestination } from '@adit/shared/protocol/destination';
import { withProxy, type IngressOptions } from '../options.ts';
import { ingressSettings } from '../options/settings.ts';

const {
  controlSocket,
  egress,
  carrier,
  wsPath,
  headers,
  headerFile,
  outerCa,
  proxy,
  proxyFile,
  proxyCa,
  proxyCert,
  proxyKey,
  select,
  maxCarrierAgeMs,
  cert,
  key,
  ca,
  crl,
  serverName,
  connectTimeoutMs,
  maxReplayPerSession,
  logFormat,
} = ingressSettings;
/** The error of the process is one line at its end; more would disturb the terminal of ssh. */
const logLevel = { ...ingressSettings.logLevel, fallback: 'error' } as const;

/** The flags, with their help. */
export const stdioFlags: Settings = {
  controlSocket: {
    ...controlSocket,
    help: 'the Unix socket of a running ingress, whose session is used if it answers; none: a session of its own',
  },
  egress: optional(egress),
  cert: optional(cert),
  key: optional(key),
  ca: optional(ca),
  crl,
  serverName,
  carrier,
  wsPath,
  headers,
  headerFile,
  outerCa,
  proxy,
  proxyFile,
  proxyCa,
  proxyCert,
  proxyKey,
  select,
  maxCarrierAgeMs,
  connectTimeoutMs,
  maxReplayPerSession,
  logLevel,
  logFormat,
};

export interface StdioOptions {
  readonly destination: Destination;
  /** The control socket of an ingress that may be running. */
  readonly controlSocket?: string;
  /** The options of a session of its own; throws AditError (USAGE) if one is missing. */
  readonly session: () => IngressOptions;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** Throws AditError (USAGE, CONFIG_INVALID, CONFIG_UNKNOWN_KEY). */
export function resolveStdioOptions(text: string, sources: Sources): StdioOptions {
  const destination = parseAnyDestination(text);
  if (!destination.ok)
    throw new AditError(
      'USAGE',
      `the destination ${quote(text)}: ${destination.reason}; write HOST:PORT, [V6]:PORT, tls://HOST:PORT or ` +
        'the name of a service',
    );
  // With a running ingress options for a session may be missing, but those that are there must be valid.
  const lenient = resolveOptions({ ...allOptional(ingressSettings), logLevel }, sources);
  const own = (): IngressOptions => withProxy(resolveOptions({ ...ingressSettings, logLevel }, sources), sources);
  const asked =
    lenient.controlSocket !== undefined && lenient.controlSocket !== 'none' ? lenient.controlSocket : undefined;
  const session = asked === undefined ? own() : undefined;
  return {
    destination: destination.value,
    ...(asked !== undefined && { controlSocket: asked }),
    session: () => session ?? own(),
    logLevel: lenient.logLevel,
    logFormat: lenient.logFormat,
  };
}

/**
 * The ADIT_ variables of the environment.
 * Rule: a variable that begins with ADIT_ and that no command knows is warned of: a misspelt limit or revocation list
 * must not be ignored in silence, but others may write into our environment, as Kubernetes does. The list is the union
 * of all commands, because one environment serves them all; a test compares it with their tables.
 */
import type { Logger } from '../observe/logger.ts';
import { quote } from './complaint.ts';
import { suggest } from './suggest.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export const environmentVariables = [
  'ADIT_CONFIG',
  'ADIT_CHECK',
  'ADIT_RELOAD_SIGNAL',
  'ADIT_LOG_LEVEL',
  'ADIT_LOG_FORMAT',
  'ADIT_CERT',
  'ADIT_KEY',
  'ADIT_CRL',
  'ADIT_IDLE_TIMEOUT',
  'ADIT_DRAIN_TIMEOUT',
  'ADIT_CONGESTION',
  'ADIT_LISTEN',
  'ADIT_LISTEN_HTTP',
  'ADIT_WS_PATH',
  'ADIT_ACCEPT_PROXY_PROTOCOL',
  'ADIT_CLIENT_CA',
  'ADIT_POLICY',
  'ADIT_SERVICE_CA',
  'ADIT_SERVICE_CERT',
  'ADIT_SERVICE_KEY',
  'ADIT_HANDSHAKE_TIMEOUT',
  'ADIT_DIAL_TIMEOUT',
  'ADIT_MAX_STREAMS',
  'ADIT_MAX_STREAMS_PER_IDENTITY',
  'ADIT_MAX_WAITING_PER_IDENTITY',
  'ADIT_MAX_SESSIONS_PER_IDENTITY',
  'ADIT_MAX_FAILED_STREAMS_PER_IDENTITY',
  'ADIT_MAX_HANDSHAKES',
  'ADIT_RESUME_WINDOW',
  'ADIT_MAX_DETACHED_PER_IDENTITY',
  'ADIT_MAX_REPLAY_PER_SESSION',
  'ADIT_MAX_REPLAY_PER_IDENTITY',
  'ADIT_MAX_REPLAY',
  'ADIT_MAX_LANES_PER_SESSION',
  'ADIT_EGRESS',
  'ADIT_LANES',
  'ADIT_CARRIER',
  'ADIT_HEADER',
  'ADIT_HEADER_FILE',
  'ADIT_OUTER_CA',
  'ADIT_PROXY',
  'ADIT_PROXY_FILE',
  'ADIT_PROXY_CA',
  'ADIT_PROXY_CERT',
  'ADIT_PROXY_KEY',
  'ADIT_CA',
  'ADIT_FORWARD',
  'ADIT_SOCKS',
  'ADIT_SOCKS_AUTH_FILE',
  'ADIT_HTTP_PROXY',
  'ADIT_HTTP_PROXY_AUTH_FILE',
  'ADIT_MIXED',
  'ADIT_TRANSPARENT',
  'ADIT_PRINT_RULES',
  'ADIT_SNI',
  'ADIT_SNI_ROUTE',
  'ADIT_TLS_LISTEN',
  'ADIT_TLS_CERT',
  'ADIT_TLS_KEY',
  'ADIT_TLS_ALPN',
  'ADIT_CONTROL_SOCKET',
  'ADIT_SELECT',
  'ADIT_MAX_CARRIER_AGE',
  'ADIT_SERVER_NAME',
  'ADIT_CONNECT_TIMEOUT',
  'ADIT_CA_DIR',
  'ADIT_CA_PASSPHRASE',
  'ADIT_P12_PASSWORD',
] as const;

/**
 * What Kubernetes puts into the environment of a pod for a Service called `adit` or `adit-...` (`enableServiceLinks`):
 * NAME_SERVICE_HOST, NAME_SERVICE_PORT, NAME_SERVICE_PORT_<port name>, NAME_PORT_<number>_TCP and its parts. NAME_PORT
 * is one only with its value, `tcp://10.0.0.1:8443`: a person writes a bare number there.
 */
const serviceLink = /^ADIT(?:_[A-Z0-9_]+)?_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?)$/;
const serviceLinkPort = /^ADIT(?:_[A-Z0-9_]+)?_PORT_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/;
const serviceLinkUrl = /^(?:tcp|udp|sctp):\/\//;

function isServiceLink(name: string, value: string): boolean {
  return serviceLink.test(name) || serviceLinkPort.test(name) || (name.endsWith('_PORT') && serviceLinkUrl.test(value));
}

export interface UnknownVariable {
  readonly variable: string;
  /** Says so, with a suggestion. Never quotes the value, which may be a secret. */
  readonly text: string;
}

/** Each ADIT_ variable that no command knows, but those that Kubernetes makes for a Service. */
export function unknownVariables(environment: Environment): UnknownVariable[] {
  return Object.entries(environment)
    .filter(
      ([name, value]) =>
        /^ADIT_/i.test(name) &&
        !environmentVariables.some((known) => known === name) &&
        !isServiceLink(name, value ?? ''),
    )
    .map(([variable]) => {
      const nearest = suggest(variable, environmentVariables);
      return {
        variable,
        text:
          `the environment variable ${quote(variable)} is unknown` +
          (nearest === undefined ? ' and ignored' : `; did you mean ${nearest}?`),
      };
    });
}

/** For a process without a log: one line for each unknown variable. */
export function warnOfVariables(environment: Environment, write: (line: string) => unknown): void {
  for (const { text } of unknownVariables(environment)) write(`adit: ${text}\n`);
}

/** For a process with a log: one line for each. */
export function logUnknownVariables(environment: Environment, log: Logger): void {
  for (const { variable, text } of unknownVariables(environment)) log.warn({ event: 'ignored', variable }, text);
}

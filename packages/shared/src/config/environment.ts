/**
 * The ADIT_ variables of the environment.
 * Rule: a variable that begins with ADIT_ and that no command knows is fatal: a misspelt limit or revocation list must
 * not be ignored in silence. The list is the union of all commands, because one environment serves them all; a test
 * compares it with their tables.
 */
import { quote, refuse, type Complaint } from './complaint.ts';
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
  'ADIT_MAX_SESSIONS_PER_IDENTITY',
  'ADIT_MAX_HANDSHAKES',
  'ADIT_RESUME_WINDOW',
  'ADIT_MAX_DETACHED_PER_IDENTITY',
  'ADIT_MAX_REPLAY_PER_SESSION',
  'ADIT_MAX_REPLAY_PER_IDENTITY',
  'ADIT_MAX_REPLAY',
  'ADIT_EGRESS',
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
 * One complaint (CONFIG_UNKNOWN_KEY) for each ADIT_ variable that no command knows. Values are never quoted: they may
 * be secrets.
 */
export function unknownVariables(environment: Environment): Complaint[] {
  return Object.keys(environment)
    .filter((name) => /^ADIT_/i.test(name) && !environmentVariables.some((known) => known === name))
    .map((name) => {
      const nearest = suggest(name, environmentVariables);
      return {
        code: 'CONFIG_UNKNOWN_KEY',
        text:
          `the environment variable ${quote(name)} is ` +
          `unknown${nearest === undefined ? '' : `; did you mean ${nearest}?`}`,
      };
    });
}

/** For commands without settings of their own: throws CONFIG_UNKNOWN_KEY if a variable is unknown. */
export function checkEnvironment(environment: Environment): void {
  refuse(unknownVariables(environment));
}

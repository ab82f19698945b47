/**
 * The names of all log events: the field `event` of each line, an interface for scripts and dashboards.
 * Rule: a name is never changed or reused, and every line has one of them. docs/logs.md shows an example of each.
 */

/** The name of each event, and what it means. */
export const events = {
  listening:
    'a listener is open at `address`; at the ingress `forward`, `socks`, `httpProxy`, `mixed`, `sni`, ' +
    '`tlsListen`, `transparent` or `controlSocket` says for what',
  connected: 'a session is up, both ends proven; `resumed` when it is an old one on a new carrier',
  lane: 'a further connection of a session was opened or closed: `state`',
  detached: 'the carrier of a session broke; its streams wait for the next one',
  silent: 'at the ingress: the egress owes an answer for too long; new connections go elsewhere, or wait for it',
  answering: 'at the ingress: an egress that was silent answers again',
  disconnected: 'a session ended, with its streams',
  retrying: 'the ingress has no session and tries again after `delayMs`',
  denied: 'at the egress: a peer was turned away; at the ingress: the egress turned us away',
  intercepted: 'at the ingress: something on the way to the egress ends TLS; `issuer` says whose certificate it showed',
  refused: 'at the ingress: a local connection was not connected, or reset, and why',
  stream: 'at the egress: the access record of one stream, when it ends',
  streams:
    'at the egress: so many `streams` of one identity came to nothing and have no access record of their own; ' +
    '`codes` says why',
  connection: 'at the ingress, level debug: a local connection ended',
  handshake: 'at the egress, level debug: a connection that was no TLS handshake of ours',
  reloaded: 'new files are in force',
  'reload-failed': 'a new file is not usable, the old one stays in force',
  expiring: 'less than a fifth of the time of our certificate or of the revocation list is left',
  'backend-down': 'a backend of a service failed so often that others are preferred; `up` of `of` are left',
  'backend-up': 'a backend that was down answers again',
  ignored: 'a `signal`, or a `variable` of the environment, that changes nothing here',
  draining: 'no new streams; those that are open may finish',
  stopped: 'the process is done, with its exit `status`',
  failed: 'trouble that concerns no single stream, such as a machine out of file descriptors',
  'held-up': 'the event loop was held up for `delayMs`: everything that the process does waited',
  'log-lost': '`lines` of this log were dropped because nobody read them',
} as const;

export type EventName = keyof typeof events;

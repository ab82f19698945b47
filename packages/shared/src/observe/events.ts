/**
 * The names of everything that is logged: field `event` of each line, an interface that scripts and dashboards rely on.
 * Rule: a name is never renamed or reused; what carries no name here cannot be logged. docs/logs.md shows each with an example.
 */

/** Event name to what it says. */
export const events = {
  listening: 'a listener is open at `address`',
  connecting: 'the ingress dials the egress',
  connected: 'a session is up: both ends proved who they are',
  detached: 'a session lost its carrier and waits to be resumed',
  disconnected: 'a session ended, with `code` and `reason`',
  retrying: 'the ingress tries again after `delayMs`',
  denied: 'a peer was turned away, or we were: `code` and `reason`',
  refused: 'a local connection was not carried: `code` and `reason`; it was reset',
  connection: 'a local connection ended (debug)',
  handshake: 'a TLS handshake failed (debug)',
  stream: 'the access record of one stream, written when it ended',
  reloaded: 'new files are in force',
  'reload-failed': 'a new file is not usable; the old one stays in force',
  draining: 'no new streams; those that are open may finish',
  stopped: 'the process is done, with its exit `status`',
  failed: 'something went wrong that concerns no single stream: `code` and `reason`',
  'log-lost': '`lines` of this log were dropped because nobody read them in time',
} as const;

export type EventName = keyof typeof events;

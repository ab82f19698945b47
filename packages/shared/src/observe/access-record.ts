/**
 * The access record: what one stream was, written once, when it ended. And the channels on which a program in the same
 * process can watch.
 * Rule: names, addresses, verdict and sizes; never a byte of what was said. The channel names `adit:stream` and
 * `adit:session` are an interface. Spec: docs/logs.md; node:diagnostics_channel.
 */
import { channel } from 'node:diagnostics_channel';
import type { Code } from '../errors.ts';
import type { Logger } from './logger.ts';

/**
 * How a stream ended: both sides finished; a side reset it; it was never opened; a limit or the operator ended it; its
 * session was lost.
 */
export type StreamEnd = 'finished' | 'reset' | 'refused' | 'cut' | 'lost';

export interface AccessRecord {
  readonly session: string;
  readonly stream: number;
  readonly identity: string;
  /** Where the client's connection came from when the stream ended, as far as the egress knows. */
  readonly remote?: string;
  readonly frontEnd: string;
  /** The destination as it was asked for. */
  readonly requested: string;
  /** The address that was dialled. */
  readonly resolved?: string;
  /** The next hop that was asked for it, which resolved a name by itself. */
  readonly via?: string;
  /** Backends of the service that were dialled, where it was more than one. */
  readonly attempts?: number;
  /** The rule that decided. */
  readonly rule?: string;
  readonly verdict: 'allow' | 'deny';
  /** Why it was refused or reset. */
  readonly code?: Code;
  readonly end: StreamEnd;
  /** Bytes from the client to the service. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly dialMs?: number;
  readonly durationMs: number;
}

export interface SessionRecord {
  readonly session: string;
  readonly identity: string;
  readonly peer: string;
  readonly state: 'opened' | 'closed';
  readonly code?: Code;
}

const streams = channel('adit:stream');
const sessions = channel('adit:session');

/** Logs the record as event `stream` and publishes it on `adit:stream`. */
export function recordStream(log: Logger, record: AccessRecord): void {
  if (log.enabled('info')) log.record({ event: 'stream', ...record });
  if (streams.hasSubscribers) streams.publish(record);
}

/** Publishes on `adit:session`; the log lines of a session (`connected`, `disconnected`) are its owner's. */
export function publishSession(record: SessionRecord): void {
  if (sessions.hasSubscribers) sessions.publish(record);
}

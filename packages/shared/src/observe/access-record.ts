/**
 * The access record of one stream, written once, when the stream ends; and the channels on which a program in the same
 * process can watch.
 * Rule: names, addresses, verdict and sizes; never a byte of the payload. The channel names `adit:stream` and
 * `adit:session` are an interface.
 * Spec: docs/logs.md; node:diagnostics_channel.
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
  /** The address of the client at the end of the stream, as far as the egress knows it. */
  readonly remote?: string;
  readonly frontEnd: string;
  /** The destination as the client named it. */
  readonly requested: string;
  /** The address that was dialled. */
  readonly resolved?: string;
  /** The next hop of the connection; it resolves names itself. */
  readonly via?: string;
  /** How many backends of the service were dialled, if more than one. */
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
}

const streams = channel('adit:stream');
const sessions = channel('adit:session');

/** Logs the record as event `stream`, a denial as a warning. */
export function logStream(log: Logger, record: AccessRecord): void {
  const severity = record.verdict === 'deny' ? 'warn' : 'info';
  if (log.enabled(severity)) log.record({ event: 'stream', ...record }, severity);
}

/** Publishes the record on `adit:stream`. */
export function publishStream(record: AccessRecord): void {
  if (streams.hasSubscribers) streams.publish(record);
}

/** Publishes on `adit:session`. The owner of the session logs it (`connected`, `disconnected`). */
export function publishSession(record: SessionRecord): void {
  if (sessions.hasSubscribers) sessions.publish(record);
}

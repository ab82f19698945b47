/**
 * The log: pino, one JSON object a line on stderr, or a readable line on a terminal.
 * Rule: every line has a name from events.ts, and every text in it passes through safeText; payload bytes and keys are
 * never logged. Events are written at once, access records, of which there are thousands, in batches (line-sink.ts).
 * Spec: docs/logs.md.
 */
import assert from 'node:assert/strict';
import { isatty } from 'node:tty';
import { inspect } from 'node:util';
import { pino } from 'pino';
import { AditError, messageOf } from '../errors.ts';
import type { EventName } from './events.ts';
import { isJournal, journalPrefix } from './journal.ts';
import { LineSink } from './line-sink.ts';
import type { LogFormat, LogLevel } from './log-settings.ts';
import { prettyLine } from './pretty.ts';
import { safeText } from './safe-text.ts';

type LogValue = string | number | boolean | readonly string[] | undefined;

/**
 * `error` becomes `code` and `reason`, for a bug also `stack`. Every other text is escaped and cut to 512 characters.
 */
export interface LogFields {
  readonly event: EventName;
  readonly error?: unknown;
  readonly [field: string]: unknown;
}

type Write = (fields: LogFields, message?: string) => void;

export interface Logger {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  /** Batched: written within about 50 ms. For access records (access-record.ts). */
  readonly record: (fields: LogFields, severity?: 'info' | 'warn') => void;
  /** Is this level written? For callers that would do work only for a log line. */
  enabled(level: LogLevel): boolean;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Field `name` of every JSON line: `egress` or `ingress`. */
  readonly name: string;
  /** Where the lines go instead of stderr. */
  readonly destination?: { write(line: string): void };
}

const stderr = 2;
let sink: LineSink | undefined;

/** The one sink of stderr; it is flushed when the process ends. */
function stderrSink(name: string): LineSink {
  if (!sink) {
    // The first use of process.stderr makes a pipe non-blocking, which the sink needs.
    assert(process.stderr);
    sink = new LineSink(stderr, {
      lost: (lines) => {
        const line = JSON.stringify({ level: 'warn', time: new Date().toISOString(), name, event: 'log-lost', lines });
        return `${isJournal() ? journalPrefix(line) : ''}${line}\n`;
      },
    });
    process.on('exit', flush);
  }
  return sink;
}

/**
 * Writes everything that was logged before it returns. The end of the process calls it; call it before a kill.
 */
export function flush(): void {
  sink?.flushSync();
}

export function createLogger({ level, format, name, destination }: LoggerOptions): Logger {
  const out = destination ?? stderrSink(name);
  const levelOf = destination === undefined && isJournal() ? journalPrefix : () => '';
  const pretty = format === 'pretty' || (format === 'auto' && destination === undefined && isatty(stderr));
  const lines = { write: (line: string) => out.write(levelOf(line) + (pretty ? prettyLine(line) : line)) };
  const log = pino(
    {
      level,
      base: { name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: safeFields },
    },
    lines,
  );
  const urgent =
    (severity: LogLevel): Write =>
    (fields, message) => {
      if (!log.isLevelEnabled(severity)) return;
      log[severity](fields, message === undefined ? undefined : safeText(message, { maxLength: 1024 }));
      if (out instanceof LineSink) out.flush();
    };
  return {
    debug: urgent('debug'),
    info: urgent('info'),
    warn: urgent('warn'),
    error: urgent('error'),
    record: (fields, severity = 'info') => {
      if (log.isLevelEnabled(severity)) lines.write(recordLine(fields, { level: severity, name }));
    },
    enabled: (severity) => log.isLevelEnabled(severity),
  };
}

/** A line without a message, as pino writes it: access records, one for each stream, are worth a way of their own. */
function recordLine(fields: LogFields, { level, name }: { readonly level: LogLevel; readonly name: string }): string {
  const line = { level, time: isoTime(), name, ...safeFields(fields) };
  return `${JSON.stringify(line)}\n`;
}

let second = 0;
let upToSecond = '';

/** Now; the date and the time of day are formatted once a second. */
function isoTime(): string {
  const nowMs = Date.now();
  const now = Math.floor(nowMs / 1000);
  if (now !== second) {
    second = now;
    upToSecond = new Date(nowMs).toISOString().slice(0, -4);
  }
  return `${upToSecond}${String(nowMs - now * 1000).padStart(3, '0')}Z`;
}

function safeFields(fields: Record<string, unknown>): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const key in fields)
    if (key === 'error') Object.assign(safe, explain(fields[key]));
    else safe[key] = safeValue(fields[key]);
  return safe;
}

function safeValue(value: unknown): LogValue {
  if (typeof value === 'string') return safeText(value, { maxLength: 512 });
  if (typeof value === 'number' || typeof value === 'boolean' || value === undefined) return value;
  if (Array.isArray(value))
    return value.slice(0, 64).map((item: unknown) => safeText(typeof item === 'string' ? item : inspect(item)));
  return safeText(inspect(value, { depth: 2, breakLength: Infinity }), { maxLength: 512 });
}

function explain(error: unknown): Record<string, string> {
  const reason = safeText(messageOf(error), { maxLength: 1024 });
  if (error instanceof AditError) return { code: error.code, reason };
  const system = (error as NodeJS.ErrnoException | undefined)?.code;
  if (typeof system === 'string') return { code: safeText(system), reason };
  return {
    code: 'INTERNAL',
    reason,
    ...(error instanceof Error && error.stack !== undefined
      ? { stack: safeText(error.stack, { maxLength: 4096 }) }
      : {}),
  };
}

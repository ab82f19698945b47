/**
 * `adit connect`: joins standard input and output to one stream, of a running ingress if one answers, otherwise of a
 * session of its own.
 * Rule: only bytes of the service are written to standard output. Status 0 means that both directions ended in order
 * and that the egress has everything. A refusal and a cut are errors with their code. After a signal the status is 128
 * plus its number, and the egress has been told.
 * What only a session of its own needs, and the log, are loaded when they are: ssh runs this for every connection.
 */
import { constants } from 'node:os';
import { AditError, messageOf } from '@adit/shared/errors';
import { type Ends, joinEnds } from '@adit/shared/net/join';
import type { Logger } from '@adit/shared/observe/logger';
import { logIgnored } from '@adit/shared/process/signals';
import { askIngress } from './ask-ingress.ts';
import type { StdioOptions } from './options.ts';
import type { Opened } from './own-session.ts';

/** ssh ends its ProxyCommand with SIGHUP. */
const signals = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/** Resolves with the exit status; rejects with the AditError that says why there is no connection, or why it ended. */
export async function joinStandardStreams(options: StdioOptions, ends: Ends): Promise<number> {
  const stop = new AbortController();
  const quit = (signal: NodeJS.Signals): void => stop.abort(signal);
  const log = (): Promise<Logger> => loggerOf(options);
  const ignored = (signal: NodeJS.Signals): void => {
    void log().then((logger) => logIgnored(logger, signal));
  };
  for (const signal of signals) process.on(signal, quit);
  if (process.platform !== 'win32') process.on('SIGUSR1', ignored);
  let opened: Opened | undefined;
  try {
    opened = await open(options, { log, signal: stop.signal });
    const { stream } = opened;
    const cut = (): void => {
      stream.destroy(new AditError('PEER_GONE', `ended by ${String(stop.signal.reason)}`));
    };
    stop.signal.addEventListener('abort', cut);
    if (stop.signal.aborted) cut();
    await joinEnds(ends, stream);
    await opened.settled();
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 128 + constants.signals[stop.signal.reason as NodeJS.Signals];
    throw named(error);
  } finally {
    opened?.close();
    ends.input.destroy();
    for (const signal of signals) process.off(signal, quit);
    process.off('SIGUSR1', ignored);
  }
}

/** A failure of standard input or output is no bug: it gets a code. */
function named(error: unknown): unknown {
  const { errno, code, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof AditError || typeof errno !== 'number') return error;
  if (code === 'EPIPE')
    return new AditError('PEER_GONE', 'nobody reads standard output any more, and the service had not ended', {
      cause: error,
    });
  return new AditError(
    'PEER_GONE',
    `standard ${syscall === 'write' ? 'output' : 'input'} failed: ${messageOf(error)}`,
    { cause: error },
  );
}

interface Surroundings {
  readonly log: () => Promise<Logger>;
  readonly signal: AbortSignal;
}

async function open(options: StdioOptions, { log, signal }: Surroundings): Promise<Opened> {
  const { controlSocket, destination } = options;
  const stream = controlSocket === undefined ? undefined : await askIngress(controlSocket, destination, signal);
  if (stream)
    return {
      stream,
      settled: () => Promise.resolve(),
      close: () => {
        stream.destroy();
      },
    };
  const [{ openSession }, logger] = await Promise.all([import('./own-session.ts'), log()]);
  return openSession(options, { log: logger, signal });
}

async function loggerOf({ logLevel: level, logFormat: format }: StdioOptions): Promise<Logger> {
  const { createLogger } = await import('@adit/shared/observe/logger');
  return createLogger({ level, format, name: 'connect' });
}

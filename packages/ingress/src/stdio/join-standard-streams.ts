/**
 * `adit connect`: joins standard input and output to one stream, of a running ingress if one answers, otherwise of a
 * session of its own.
 * Rule: only bytes of the service are written to standard output. Status 0 means that both directions ended in order
 * and that the egress has everything. A refusal and a cut are errors with their code. After a signal the status is 128
 * plus its number, and the egress has been told.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { AditError, messageOf } from '@adit/shared/errors';
import { type Ends, joinEnds } from '@adit/shared/net/join';
import { createLogger, flush, type Logger } from '@adit/shared/observe/logger';
import { packageVersion } from '@adit/shared/process/package-version';
import { logIgnored } from '@adit/shared/process/signals';
import { encodeOpen } from '@adit/shared/protocol/open';
import type { StreamOpener } from '@adit/shared/stream/contract';
import { MovableStream } from '@adit/shared/stream/movable-stream';
import { StreamDuplex } from '@adit/shared/stream/stream-duplex';
import { IngressAgent } from '../agent.ts';
import { askIngress } from './ask-ingress.ts';
import type { StdioOptions } from './options.ts';

/** ssh ends its ProxyCommand with SIGHUP. */
const signals = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;
const pollMs = 5;

/** An open stream, and what it belongs to. */
interface Opened {
  readonly stream: Duplex;
  /** Resolves when the egress has received everything. */
  settled(): Promise<void>;
  close(): void;
}

/** Resolves with the exit status; rejects with the AditError that says why there is no connection, or why it ended. */
export async function joinStandardStreams(options: StdioOptions, ends: Ends): Promise<number> {
  const stop = new AbortController();
  const quit = (signal: NodeJS.Signals): void => stop.abort(signal);
  const { logLevel: level, logFormat: format } = options;
  const log = createLogger({ level, format, name: 'connect' });
  const ignored = (signal: NodeJS.Signals): void => logIgnored(log, signal);
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
    flush();
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
  readonly log: Logger;
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
  return await openSession(options, { log, signal });
}

async function openSession(
  { destination, session, controlSocket }: StdioOptions,
  { log, signal }: Surroundings,
): Promise<Opened> {
  const options = sessionOptions(session, controlSocket);
  const agent = new IngressAgent(options, {
    log,
    agent: `adit/${packageVersion()}`,
  });
  const close = (): void => agent.close();
  signal.addEventListener('abort', close);
  try {
    agent.watch();
    const denied = agent.run().then(() => {
      throw new AditError('EGRESS_UNREACHABLE', 'stopped');
    });
    denied.catch((error: unknown) => {
      if (!(error instanceof AditError)) throw error;
    }); // a denial after the race resets the stream by itself
    const sinceMs = performance.now();
    const opener = await Promise.race([denied, usable(agent)]);
    const payload = encodeOpen({ destination, frontEnd: 'stdio', client: 'local' });
    const movable = new MovableStream({ payload, opener, openers: agent.sessions, sinceMs });
    const stream = new StreamDuplex(movable, {
      ended: () => {
        /* arrives as the end, or the error, of the duplex */
      },
    });
    signal.removeEventListener('abort', close); // from here on a signal resets the stream first
    return { stream, settled: () => settled(agent, movable), close };
  } catch (error) {
    agent.close();
    throw error;
  }
}

/** The options of a session of its own; if one is missing, the error also says that the control socket was tried. */
function sessionOptions(
  session: StdioOptions['session'],
  controlSocket: string | undefined,
): ReturnType<StdioOptions['session']> {
  try {
    return session();
  } catch (error) {
    if (!(error instanceof AditError) || controlSocket === undefined) throw error;
    throw new AditError(
      error.code,
      `no ingress answers at ${controlSocket}, and for a session of its own ${error.message}`,
      { cause: error },
    );
  }
}

async function usable({ sessions }: IngressAgent): Promise<StreamOpener> {
  let { session } = sessions;
  while (session === undefined || session.over) session = await sessions.ready();
  return session;
}

/** Closing the session drops what is under way: waits until the egress has everything. Rejects with LINK_LOST. */
async function settled(agent: IngressAgent, stream: MovableStream): Promise<void> {
  for (let waiting = true; waiting; await delay(pollMs)) {
    const { opener } = stream;
    waiting = (opener.unacked ?? 0) > 0 || agent.streams > 0;
    if (waiting && opener.over && opener.unacked !== undefined)
      throw new AditError('LINK_LOST', 'the session ended before the egress had received everything');
  }
}

/**
 * `adit connect`: standard input and output joined to one stream, of a running ingress where one answers, else of a
 * session of its own.
 * Rule: nothing is written to standard output but the bytes of the service. Status 0 means that both halves ended in
 * order and that everything is with the egress; a refusal and a cut are errors with their code; a signal ends it with
 * 128 and its number, having told the egress.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { AditError, messageOf } from '@adit/shared/errors';
import { type Ends, joinEnds } from '@adit/shared/net/join';
import { createLogger, flush } from '@adit/shared/observe/logger';
import { packageVersion } from '@adit/shared/process/package-version';
import { encodeOpen } from '@adit/shared/protocol/open';
import type { StreamOpener } from '@adit/shared/stream/contract';
import { StreamDuplex } from '@adit/shared/stream/stream-duplex';
import { IngressAgent } from '../agent.ts';
import { askIngress } from './ask-ingress.ts';
import type { StdioOptions } from './options.ts';

/** ssh ends its ProxyCommand with SIGHUP. */
const signals = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;
const askAgainMs = 5;

/** A stream, and what stands behind it. */
interface Way {
  readonly stream: Duplex;
  /** Resolves when everything that was handed over is with the egress. */
  settled(): Promise<void>;
  close(): void;
}

/** Resolves with the exit status; rejects with the AditError that says why there is no connection, or no more. */
export async function joinStandardStreams(options: StdioOptions, ends: Ends): Promise<number> {
  const stop = new AbortController();
  const quit = (signal: NodeJS.Signals): void => stop.abort(signal);
  for (const signal of signals) process.on(signal, quit);
  let way: Way | undefined;
  try {
    way = await open(options, stop.signal);
    const { stream } = way;
    const cut = (): void => {
      stream.destroy(new AditError('PEER_GONE', `ended by ${String(stop.signal.reason)}`));
    };
    stop.signal.addEventListener('abort', cut);
    if (stop.signal.aborted) cut();
    await joinEnds(ends, stream);
    await way.settled();
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 128 + constants.signals[stop.signal.reason as NodeJS.Signals];
    throw told(error);
  } finally {
    way?.close();
    ends.input.destroy();
    for (const signal of signals) process.off(signal, quit);
    flush();
  }
}

/** Standard input or output that fails is no bug. */
function told(error: unknown): unknown {
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

async function open(options: StdioOptions, signal: AbortSignal): Promise<Way> {
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
  return await openSession(options, signal);
}

async function openSession(
  { destination, session, logLevel, logFormat, controlSocket }: StdioOptions,
  signal: AbortSignal,
): Promise<Way> {
  const options = missing(session, controlSocket);
  const agent = new IngressAgent(options, {
    log: createLogger({ level: logLevel, format: logFormat, name: 'connect' }),
    agent: `adit/${packageVersion(import.meta.url)}`,
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
    }); // an egress that denies us later resets the stream
    const opener = await Promise.race([denied, usable(agent)]);
    const stream = new StreamDuplex(opener.open(encodeOpen({ destination, frontEnd: 'stdio', client: 'local' })), {
      ended: () => {
        /* arrives as the end, or the error, of the duplex */
      },
    });
    signal.removeEventListener('abort', close); // the stream is told first
    return { stream, settled: () => settled(agent, opener), close };
  } catch (error) {
    agent.close();
    throw error;
  }
}

/** Says that the control socket was tried, where a session of its own cannot be. */
function missing(
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

/**
 * A session ends with what is under way on it: that is waited for, and a session that is lost meanwhile is no success.
 */
async function settled(agent: IngressAgent, opener: StreamOpener): Promise<void> {
  for (let waiting = true; waiting; await delay(askAgainMs)) {
    waiting = (opener.unacked ?? 0) > 0 || agent.streams > 0;
    if (waiting && opener.over && opener.unacked !== undefined)
      throw new AditError('LINK_LOST', 'the session ended before the egress had everything');
  }
}

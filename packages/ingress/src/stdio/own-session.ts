/**
 * A session of its own for `adit connect`, where no ingress answers, and the one stream on it.
 * Rule: the options must suffice for it. It is over when the egress has received everything, not before.
 */
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { AditError } from '@adit/shared/errors';
import type { Logger } from '@adit/shared/observe/logger';
import { packageVersion } from '@adit/shared/process/package-version';
import { encodeOpen } from '@adit/shared/protocol/open';
import type { StreamOpener } from '@adit/shared/stream/contract';
import { MovableStream } from '@adit/shared/stream/movable-stream';
import { StreamDuplex } from '@adit/shared/stream/stream-duplex';
import { IngressAgent } from '../agent.ts';
import type { IngressOptions } from '../options.ts';
import type { StdioOptions } from './options.ts';

const pollMs = 5;

/** An open stream, and what it belongs to. */
export interface Opened {
  readonly stream: Duplex;
  /** Resolves when the egress has received everything. */
  settled(): Promise<void>;
  close(): void;
}

interface Surroundings {
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Opens the stream on a session that ends with it. Rejects with the AditError that says why there is none. */
export async function openSession(
  { destination, session, controlSocket }: StdioOptions,
  { log, signal }: Surroundings,
): Promise<Opened> {
  // it has one stream: nothing that bulk could hold up
  const options: IngressOptions = { ...sessionOptions(session, controlSocket), lanes: 1 };
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

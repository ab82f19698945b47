/**
 * The life of one local connection: read the client's address if a load balancer sends it, ask the front end for the
 * destination, wait for a session, open a stream, carry the bytes.
 * Rule: whatever happens, the connection ends exactly once, and the log says why. A client that cannot be carried is
 * refused in the words of its front end, or reset. In every phase the client may leave and the ingress may drain.
 * Not here: the socket (local-client.ts), the ways to carry (carry.ts).
 */
import { AditError, codeOfWire, isCode } from '@adit/shared/errors';
import type { Logger } from '@adit/shared/observe/logger';
import { formatDestination } from '@adit/shared/protocol/destination';
import { encodeOpen } from '@adit/shared/protocol/open';
import type { StreamOpener, StreamOpeners } from '@adit/shared/stream/contract';
import { MovableStream } from '@adit/shared/stream/movable-stream';
import type { RelayOutcome } from '@adit/shared/stream/relay';
import { carry } from './carry.ts';
import type { Ask, FrontEnd, TurnedAway } from './frontend/contract.ts';
import type { LocalClient } from './local-client.ts';

/** Where sessions come from: the one at hand, or the next. */
export interface SessionSource extends StreamOpeners {
  /** Rejects with EGRESS_UNREACHABLE. */
  ready(): Promise<StreamOpener>;
}

export interface ConnectionContext {
  readonly frontEnd: FrontEnd;
  readonly sessions: SessionSource;
  /** The connection begins with a PROXY protocol header. */
  readonly acceptProxy?: true;
  /** 0 means never. */
  readonly idleTimeoutMs: number;
  readonly log: Logger;
}

/** Resolves when the connection is over. `client.abort` ends it early, in any phase. Rejects only for a bug. */
export async function serveConnection(client: LocalClient, context: ConnectionContext): Promise<void> {
  try {
    const ask = await client.unlessCut(gather(client, context));
    if ('error' in ask) {
      const { error, answer } = ask;
      return await client.refuse({ code: error.code, reason: error.message, advice: error.ownAdvice }, answer);
    }
    client.asks(ask);
    const sinceMs = performance.now();
    const openers = context.sessions;
    let { session } = openers;
    while (session === undefined || session.over) session = await client.waits(openers.ready());
    const stream = new MovableStream({ payload: openOf(ask, client), opener: session, openers, sinceMs });
    const outcome = await carry(ask, { client, stream, idleTimeoutMs: context.idleTimeoutMs });
    await conclude(outcome, { client, ask, log: context.log });
  } catch (error) {
    if (error instanceof AditError) return await client.fail(error);
    client.reset();
    throw error;
  }
}

async function gather(client: LocalClient, { frontEnd, acceptProxy }: ConnectionContext): Promise<Ask | TurnedAway> {
  if (acceptProxy) await client.readHeader();
  return await frontEnd.ask(client);
}

/** What the egress is asked for. */
function openOf(ask: Ask, { address }: LocalClient): Uint8Array {
  return encodeOpen({
    destination: ask.destination,
    frontEnd: ask.frontEnd,
    client: address,
    ...(ask.carry === 'secure' && ask.alpn !== undefined && { alpn: ask.alpn }),
  });
}

/** The stream is over: refuses the client if nothing was carried, or logs how the connection ended. */
async function conclude(
  { end, code: either, reason, bytesSent, bytesReceived }: RelayOutcome,
  { client, ask, log }: { readonly client: LocalClient; readonly ask: Ask; readonly log: Logger },
): Promise<void> {
  const code = isCode(either) ? either : codeOfWire(either);
  if (end === 'refused') return await client.refuse({ code, reason });
  log.debug(
    {
      event: 'connection',
      client: client.name,
      destination: formatDestination(ask.destination),
      end,
      code,
      reason,
      bytesUp: bytesSent,
      bytesDown: bytesReceived,
    },
    'connection ended',
  );
}

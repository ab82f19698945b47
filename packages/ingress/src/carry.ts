/**
 * The three ways to carry a local connection over its stream: splice it, secure it first, or let its front end exchange
 * messages.
 * Rule: the socket changes hands once, when the egress has dialled, or at once if the client gets no answer. A stream
 * that ends before that is a refusal, whatever ended it.
 * Not here: opening the stream, telling the client that it is refused (connection.ts).
 */
import { AditError } from '@adit/shared/errors';
import { seconds } from '@adit/shared/observe/seconds';
import type { RelayStream } from '@adit/shared/stream/contract';
import { Relay, type RelayOutcome } from '@adit/shared/stream/relay';
import { StreamDuplex } from '@adit/shared/stream/stream-duplex';
import type { Ask, ExchangeAsk, SecureAsk, SpliceAsk } from './frontend/contract.ts';
import type { LocalClient } from './local-client.ts';

export interface Carried {
  readonly client: LocalClient;
  /** Just opened; nothing has come back on it. */
  readonly stream: RelayStream;
  /** 0 means never. */
  readonly idleTimeoutMs: number;
}

/** Early bytes go on in pieces of this size, each a frame. */
const pieceBytes = 16_384;

/** Resolves when the connection is over; `refused` means that the client is still to be told. */
export function carry(ask: Ask, carried: Carried): Promise<RelayOutcome> {
  if (ask.carry === 'splice') return splice(ask, carried);
  return ask.carry === 'secure' ? secure(ask, carried) : exchange(ask, carried);
}

function splice(
  { accepted, refused, early }: SpliceAsk,
  { client, stream, idleTimeoutMs }: Carried,
): Promise<RelayOutcome> {
  return new Promise((resolve) => {
    let joined = false;
    const join = (): void => {
      joined = true;
      relay.attach(client.take(), { idleTimeoutMs });
    };
    const relay = new Relay(stream, {
      opened: () => {
        client.say(accepted);
        if (!joined) join();
      },
      ended: (outcome) => resolve(joined ? outcome : neverCarried(outcome)),
    });
    client.keptBy(relay);
    for (let at = 0; early && at < early.length; at += pieceBytes) stream.sendView(early.subarray(at, at + pieceBytes));
    if (!refused) join();
  });
}

/** Once securing has begun, nothing can be said to the client in the clear: a failure is logged as a refusal. */
function secure(ask: SecureAsk, { client, stream, idleTimeoutMs }: Carried): Promise<RelayOutcome> {
  return new Promise((resolve, reject) => {
    let securing: AbortController | undefined;
    const failed = (error: Error): void => {
      if (!(error instanceof AditError)) return reject(error); // a bug
      if (relay.over) return;
      client.logRefusal({ code: error.code, reason: error.message });
      relay.abort('PEER_GONE', error.message);
    };
    const relay = new Relay(stream, {
      opened: () => {
        securing = new AbortController();
        ask
          .secure(client.take(), { signal: securing.signal })
          .then((secured) => relay.attach(secured, { idleTimeoutMs }))
          .catch(failed);
      },
      ended: (outcome) => {
        securing?.abort();
        resolve(securing ? outcome : neverCarried(outcome));
      },
    });
    client.keptBy(relay);
  });
}

function exchange(ask: ExchangeAsk, { client, stream, idleTimeoutMs }: Carried): Promise<RelayOutcome> {
  return new Promise((resolve, reject) => {
    let exchanged: Promise<void> | undefined;
    const service = new StreamDuplex(stream, {
      opened: () => {
        client.say(ask.accepted);
        client.lend({
          idleTimeoutMs,
          idle: () => service.abort('IDLE_TIMEOUT', `no bytes for ${seconds(idleTimeoutMs)}`),
        });
        exchanged = ask
          .exchange(service)
          .catch((error: Error) => {
            client.reset();
            if (!(error instanceof AditError)) reject(error); // a bug
          })
          .finally(() => service.destroy());
      },
      ended: (outcome) => {
        if (exchanged) void exchanged.then(() => resolve(outcome));
        else resolve(neverCarried(outcome));
      },
    });
    client.keptBy(service);
  });
}

function neverCarried(outcome: RelayOutcome): RelayOutcome {
  return { ...outcome, end: 'refused' };
}

/**
 * Runs any handshake over a duplex, under a deadline and a byte limit.
 * Rule: the duplex is paused again when this returns, and no byte is lost: the bytes after the handshake are `rest`.
 * What the handshake sends in between is written here; its first message is written by the caller.
 */
import type { Duplex } from 'node:stream';
import { AditError, type Code } from '../errors.ts';
import { seconds } from '../observe/seconds.ts';
import type { Handshake } from '../protocol/handshake.ts';
import { attempt } from './attempt.ts';
import { Deadline } from './deadline.ts';

export interface DriveOptions {
  readonly deadlineMs: number;
  readonly maxBytes: number;
  /** The code of each failure: the peer sent nothing in time, closed, or sent something unexpected. */
  readonly codes: { readonly timeout: Code; readonly closed: Code; readonly garbage: Code };
  /** The name of the peer, for error texts. */
  readonly peer: string;
  /** Gives up, and rejects with the code `closed`. */
  readonly signal?: AbortSignal;
  /** Puts `rest` back into the duplex, before an end that may follow it is seen. */
  readonly putBack?: true;
}

/** The result of a handshake, and the bytes that followed it. */
export interface Driven<T> {
  readonly value: T;
  readonly rest: Uint8Array;
}

/** Rejects with one of `codes`. The duplex is not destroyed: its owner does that. */
export function drive<T>(duplex: Duplex, handshake: Handshake<T>, options: DriveOptions): Promise<Driven<T>> {
  const { codes, peer, signal } = options;
  const deadline = new Deadline(options.deadlineMs);
  const failure = (code: Code, message: string): AditError =>
    new AditError(code, message, { cause: duplex.errored ?? undefined });
  let stop = (): void => {};
  return attempt<Driven<T>>(
    {
      deadline,
      signal,
      timedOut: () => failure(codes.timeout, `${peer} said nothing for ${seconds(deadline.totalMs)}`),
      aborted: () => failure(codes.closed, `the handshake with ${peer} was given up`),
      giveUp: () => stop(),
    },
    ({ succeed, fail }) => {
      const receive = receiver(duplex, handshake, {
        ...options,
        done: (driven) => succeed(driven),
        stop: () => stop(),
        garbage: (what) => fail(failure(codes.garbage, `${peer} sent ${what}`)),
      });
      const closed = (): void => fail(failure(codes.closed, `${peer} closed the connection${whyOf(duplex.errored)}`));
      stop = () => {
        duplex.off('data', receive).off('close', closed).off('end', closed);
        duplex.pause();
      };
      if (duplex.destroyed) return closed();
      duplex.on('data', receive).on('close', closed).on('end', closed);
      duplex.resume();
    },
  );
}

interface ReceiverOptions<T> extends Pick<DriveOptions, 'maxBytes' | 'putBack'> {
  readonly done: (driven: Driven<T>) => void;
  /** Stops reading before `done` is called. */
  readonly stop: () => void;
  /** The peer sent something that the handshake does not accept. */
  readonly garbage: (what: string) => void;
}

function receiver<T>(
  duplex: Duplex,
  handshake: Handshake<T>,
  { maxBytes, putBack, done, stop, garbage }: ReceiverOptions<T>,
): (chunk: Buffer) => void {
  let bytes = 0;
  return (chunk) => {
    bytes += chunk.length;
    const step = handshake.receive(chunk);
    if (step.state === 'done') {
      stop();
      if (step.send) duplex.write(step.send);
      if (putBack && step.rest.length > 0) duplex.unshift(step.rest);
      done({ value: step.value, rest: step.rest });
    } else if (step.state === 'failed') garbage(`something unexpected: ${step.reason}`);
    else if (bytes > maxBytes) garbage(`more than ${maxBytes} bytes before the handshake was done`);
    else if (step.send) duplex.write(step.send);
  };
}

function whyOf(error: NodeJS.ErrnoException | null): string {
  return error ? ` (${error.code ?? error.message})` : '';
}

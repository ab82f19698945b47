/**
 * Runs any handshake over a duplex, under a deadline and a byte limit.
 * Rule: the duplex is paused again when this returns and nothing of it is lost: what followed the handshake is `rest`.
 * What a handshake has to say in between is written; its first word is the caller's.
 */
import type { Duplex } from 'node:stream';
import type { Handshake } from '../protocol/handshake.ts';
import { AditError, type Code } from '../errors.ts';

export interface DriveOptions {
  readonly deadlineMs: number;
  readonly maxBytes: number;
  /** What a failure is called: the peer said nothing in time, closed, or said something else. */
  readonly codes: { readonly timeout: Code; readonly closed: Code; readonly garbage: Code };
  /** Who is spoken to, for the error text. */
  readonly peer: string;
  /** `rest` goes back into the duplex, before the end that may follow it is told. */
  readonly putBack?: true;
}

export function drive<T>(
  duplex: Duplex,
  handshake: Handshake<T>,
  options: DriveOptions,
): Promise<{ value: T; rest: Uint8Array }> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    const timer = setTimeout(
      () => fail(options.codes.timeout, `${options.peer} said nothing for ${options.deadlineMs / 1000} s`),
      options.deadlineMs,
    );
    const stop = (): void => {
      clearTimeout(timer);
      duplex.off('data', receive).off('close', closed).off('end', closed);
      duplex.pause();
    };
    const fail = (code: Code, message: string): void => {
      stop();
      reject(new AditError(code, message, { cause: duplex.errored ?? undefined }));
    };
    const closed = (): void =>
      fail(
        options.codes.closed,
        `${options.peer} closed the ` +
          `connection${duplex.errored ? ` (${(duplex.errored as NodeJS.ErrnoException).code ?? duplex.errored.message})` : ''}`,
      );
    const receive = (chunk: Buffer): void => {
      bytes += chunk.length;
      const step = handshake.receive(chunk);
      if (step.state === 'done') {
        stop();
        if (step.send) duplex.write(step.send);
        if (options.putBack && step.rest.length > 0) duplex.unshift(step.rest);
        resolve({ value: step.value, rest: step.rest });
      } else if (step.state === 'failed')
        fail(options.codes.garbage, `${options.peer} sent something unexpected: ${step.reason}`);
      else if (bytes > options.maxBytes)
        fail(
          options.codes.garbage,
          `${options.peer} sent more than ${options.maxBytes} bytes before the handshake was done`,
        );
      else if (step.send) duplex.write(step.send);
    };
    if (duplex.destroyed) {
      closed();
      return;
    }
    duplex.on('data', receive).on('close', closed).on('end', closed);
    duplex.resume();
  });
}

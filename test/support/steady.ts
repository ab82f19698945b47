/**
 * A client that sends without a pause to a `hashing` service behind a tunnel until it is told to finish: a transfer
 * that must go on while something else happens.
 * Rule: it fails if one byte is missing, doubled or changed, or if it is reset; it leaves the machine to others between
 * two writes.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { Ingress } from './adit.ts';
import { pattern } from './pattern.ts';
import { eventually, within } from './scope.ts';
import { client } from './services.ts';

export interface Steady {
  /** Bytes that were taken from it so far. */
  readonly bytes: number;
  /** Resolves when so many more were taken. */
  more(bytes: number): Promise<void>;
  /** Ends it, and compares what the service got with what was sent. */
  finish(): Promise<void>;
}

/** Starts sending to a port behind which `hashing` listens; resolves when the first bytes were taken. */
export async function steady(port: number): Promise<Steady> {
  const { socket, received } = await client(port);
  const hash = createHash('sha256');
  let [bytes, sending, over] = [0, true, false];
  const ended = (): void => {
    over = true;
  };
  const gone = received.then(ended, ended);
  const sent = (async () => {
    for (let seed = 1; sending && !over; seed = (seed % 250) + 1)
      for (const chunk of pattern(1, seed)) {
        hash.update(chunk);
        bytes += chunk.length;
        if (!socket.write(chunk)) await Promise.race([once(socket, 'drain'), gone]);
        await delay(5);
      }
    socket.end();
  })();
  sent.catch(() => {}); // `finish` reports it
  const more = async (count: number): Promise<void> => {
    const until = bytes + count;
    await eventually(`${count} bytes more`, () => bytes >= until || over, {
      ms: 60_000,
      detail: () => `${bytes} of ${until}`,
    });
    if (over) throw new Error(`the transfer ended after ${bytes} bytes`);
  };
  await more(1);
  return {
    get bytes() {
      return bytes;
    },
    more,
    finish: async () => {
      sending = false;
      await within(60_000, 'the last bytes', sent, () => `${bytes} sent`);
      const { bytes: answer, ending } = await within(60_000, 'the sum', received, () => `${bytes} sent`);
      const expected = `${bytes} ${hash.digest('hex')}`;
      if (ending !== 'end' || String(answer) !== expected)
        throw new Error(`a transfer ended with ${ending}: got "${String(answer)}", sent "${expected}"`);
      socket.destroy();
    },
  };
}

/** The transfer of this ingress goes on and ends well, over the connection that it began on. */
export async function noticedNothing({ process }: Ingress, transfer: Steady): Promise<void> {
  await transfer.more(4 * 2 ** 20);
  await transfer.finish();
  expect(process.all('connected')).toHaveLength(1);
  for (const event of ['detached', 'disconnected', 'retrying', 'refused', 'failed'])
    expect(process.all(event)).toEqual([]);
}

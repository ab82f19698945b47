/**
 * The last words on a connection: written, then our half ended, and the peer given a moment to read them.
 * Rule: what the peer still sends is thrown away, and read all the same: closing on unread bytes sends a reset, which
 * destroys the words.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Duplex } from 'node:stream';

const lingerMs = 1_000;

/**
 * Resolves when the connection is gone; never rejects. The caller reads no more from it. Without words its half may
 * have been ended already.
 */
export async function farewell(duplex: Duplex, words?: Uint8Array | string): Promise<void> {
  if (duplex.destroyed) return;
  if (words !== undefined) duplex.end(words);
  else if (!duplex.writableEnded) duplex.end();
  duplex.on('data', discard).resume();
  const closed = new Promise<void>((resolve) => duplex.once('close', resolve));
  const patience = new AbortController();
  await Promise.race([closed, delay(lingerMs, undefined, { signal: patience.signal }).catch(discard)]);
  patience.abort();
  duplex.destroy();
}

function discard(): void {
  /* nobody listens to it any more */
}

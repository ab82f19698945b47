/**
 * Ends a connection with a last message: writes it, ends our half, and gives the peer a moment to read it.
 * Rule: bytes that the peer still sends are read and discarded. Closing a socket with unread bytes sends a reset, which
 * destroys the message.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Duplex } from 'node:stream';

const lingerMs = 1_000;

/**
 * Resolves when the connection is gone, and never rejects. The caller must not read from it any more. Without `words`
 * our half may be ended already.
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
  /* nobody uses these bytes any more */
}

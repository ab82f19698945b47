/**
 * The contract of every handshake: it receives bytes and returns a step.
 * Rule: the bytes after the handshake are `rest`, unchanged. A handshake never waits for more bytes than it needs.
 * Not here: I/O. `drive` (net/drive.ts) runs every handshake.
 */

export type Step<T> =
  /** More bytes are needed. `send` goes to the peer first. */
  | { readonly state: 'more'; readonly send?: Uint8Array }
  /** Done. `send` is the last message to the peer. */
  | { readonly state: 'done'; readonly value: T; readonly rest: Uint8Array; readonly send?: Uint8Array }
  | { readonly state: 'failed'; readonly reason: string };

export interface Handshake<T> {
  receive(chunk: Uint8Array): Step<T>;
}

/**
 * The shape of every handshake: bytes in, a step out.
 * Rule: what follows the handshake is `rest`, untouched; a handshake never waits for more than it needs. One `drive`
 * (net/drive.ts) runs any of them.
 */

export type Step<T> =
  /** `send` goes to the peer before more of it is awaited. */
  | { readonly state: 'more'; readonly send?: Uint8Array }
  /** `send` is what the handshake still has to say. */
  | { readonly state: 'done'; readonly value: T; readonly rest: Uint8Array; readonly send?: Uint8Array }
  | { readonly state: 'failed'; readonly reason: string };

export interface Handshake<T> {
  receive(chunk: Uint8Array): Step<T>;
}

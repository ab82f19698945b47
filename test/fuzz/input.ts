/**
 * What targets have in common: the input they are given, and what has to hold for every handshake.
 * Rule: input is random bytes, and valid input that is damaged in a few places; it is cut anywhere.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Handshake, Step } from '../../packages/shared/src/protocol/handshake.ts';

/** One decoder or state machine that reads what others wrote. */
export interface Target {
  readonly name: string;
  /** Part of the cases asked for. */
  readonly share: number;
  readonly property: () => fc.IProperty<never> | fc.IProperty<unknown> | fc.IAsyncProperty<unknown>;
}

/** Anything. */
export const bytes = fc.uint8Array({ maxLength: 300, size: 'max' });

/** Valid bytes with a few of them changed, cut off or repeated. */
export function damaged(valid: Uint8Array): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 6 }), fc.nat(valid.length))
    .map(([changes, length]) => {
      const out = valid.slice(0, Math.max(1, length));
      for (const [at, byte] of changes) if (at < out.length) out[at] = byte;
      return out;
    });
}

/** Valid text, damaged in the same way. */
export function damagedText(valid: string): fc.Arbitrary<string> {
  return damaged(Buffer.from(valid)).map((text) => Buffer.from(text).toString('latin1'));
}

/** Cuts a stream at these places. */
export function splitAt(stream: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [
    0,
    ...cuts.map((cut) => Math.min(cut, stream.length)).sort((one, other) => one - other),
    stream.length,
  ];
  return places.slice(1).map((to, n) => stream.subarray(places[n], to));
}

/** Runs it; an error has to be of the given kind. */
export function mayThrow(kind: new (...args: never[]) => Error, run: () => void): void {
  try {
    run();
  } catch (error) {
    assert(error instanceof kind, error instanceof Error ? error : String(error));
  }
}

/** The last step of a handshake that is given these pieces until it needs no more. */
export function fed<T>(handshake: Handshake<T>, pieces: readonly Uint8Array[]): Step<T> {
  let step = handshake.receive(new Uint8Array(0));
  for (const piece of pieces) if (step.state === 'more') step = handshake.receive(piece);
  return step;
}

/** A handshake that gets its input in pieces ends as one that gets it whole, whose step is returned. */
export function endsAlike<T>(start: () => Handshake<T>, input: Uint8Array, cuts: readonly number[]): Step<T> {
  const whole = start().receive(input);
  const pieces = fed(start(), splitAt(input, cuts));
  assert.deepEqual({ ...pieces, rest: 0 }, { ...whole, rest: 0 }, 'another split gives another outcome');
  return whole;
}

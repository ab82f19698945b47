/**
 * Gives the free memory of the C library's heap back to the system.
 * The library does that by itself only at the end of its heap: one piece in use there keeps everything below it.
 * Rule: false, and nothing happens, where there are no native calls or the library has no such function (musl).
 */
import { bindNative } from './calls.ts';

const declarations = { malloc_trim: { takes: ['int64'], returns: 'int32' } } as const;
let native: ReturnType<typeof bindNative<'malloc_trim'>> | undefined;

/** Takes 0.3 ms for each MB that is given back. Returns whether anything was. */
export function trimMalloc(): boolean {
  native ??= bindNative(declarations);
  return !('missing' in native) && native.call.malloc_trim(0n) === 1;
}

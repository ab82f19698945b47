/** What several scenarios of a file share: made once, when the first of them needs it. */

/** A function that calls `make` the first time, and gives the same promise every time. */
export function shared<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

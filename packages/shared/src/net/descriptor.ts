/**
 * The file descriptor of a socket or server, for asking the kernel what Node does not.
 * Rule: `_handle` is not public: where it is not as expected the answer is undefined, and the asker says what then.
 */
import type net from 'node:net';

/** Undefined where there is none: closed, or a system without descriptors. */
export function descriptorOf(of: net.Socket | net.Server): number | undefined {
  const fd = (of as unknown as { readonly _handle?: { readonly fd?: unknown } | null })._handle?.fd;
  return typeof fd === 'number' && fd >= 0 ? fd : undefined;
}

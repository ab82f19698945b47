/**
 * The file descriptor of a socket or server, for questions to the kernel that Node has no API for.
 * Rule: `_handle` is not public. If it is not as expected, the result is undefined, and the caller handles that.
 * Not here: what to ask the kernel.
 */
import type net from 'node:net';

/** Undefined without one: it is closed, or the system has no descriptors. */
export function descriptorOf(of: net.Socket | net.Server): number | undefined {
  const fd = (of as unknown as { readonly _handle?: { readonly fd?: unknown } | null })._handle?.fd;
  return typeof fd === 'number' && fd >= 0 ? fd : undefined;
}

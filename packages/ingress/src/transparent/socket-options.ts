/**
 * getsockopt and setsockopt, which Node lacks: through koffi, an optional dependency.
 * Rule: nothing is loaded before it is needed; if it cannot be loaded, the start fails before anything listens. A call
 * that fails returns its errno and throws nothing.
 * Spec: getsockopt(2), ip(7), ipv6(7).
 */
import { createRequire } from 'node:module';
import { AditError, messageOf } from '@adit/shared/errors';

/** By level and number, as Linux has them on every architecture. */
export const socketOption = {
  originalDestination4: { level: 0, name: 80 }, // SOL_IP, SO_ORIGINAL_DST
  originalDestination6: { level: 41, name: 80 }, // SOL_IPV6, IP6T_SO_ORIGINAL_DST
  transparent4: { level: 0, name: 19 }, // SOL_IP, IP_TRANSPARENT
  transparent6: { level: 41, name: 75 }, // SOL_IPV6, IPV6_TRANSPARENT
} as const;

export type SocketOption = (typeof socketOption)[keyof typeof socketOption];
export type Failed = { readonly ok: false; readonly errno: number };

export interface SocketOptions {
  /** Returns at most `length` bytes. */
  read(fd: number, option: SocketOption, length: number): { readonly ok: true; readonly bytes: Uint8Array } | Failed;
  /** Turns a boolean option on. */
  turnOn(fd: number, option: SocketOption): { readonly ok: true } | Failed;
}

/** The part of koffi that is used. */
interface Koffi {
  load(path: null): { func(prototype: string): (...values: readonly unknown[]) => number };
  errno(): number;
}
type Load = (name: string) => unknown;

/** The calls on this machine. Throws TRANSPARENT_UNAVAILABLE if it is not Linux or has no koffi. */
export function loadSocketOptions({
  platform = process.platform,
  load = createRequire(import.meta.url),
}: { readonly platform?: string; readonly load?: Load } = {}): SocketOptions {
  if (platform !== 'linux')
    throw new AditError('TRANSPARENT_UNAVAILABLE', `--transparent works on Linux only, and this is ${platform}`);
  return bind(koffiOf(load));
}

function koffiOf(load: Load): Koffi {
  try {
    return load('koffi') as Koffi;
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND'
        ? 'is not installed'
        : `cannot be loaded (${messageOf(error).split('\n')[0]})`;
    throw new AditError(
      'TRANSPARENT_UNAVAILABLE',
      `--transparent needs the package koffi, which ${reason}: run "npm install koffi" in the folder where ` +
        'Adit is installed',
      { cause: error },
    );
  }
}

function bind(koffi: Koffi): SocketOptions {
  // Node itself is linked with the C library: its symbols are there, whatever the file of the library is called.
  const library = koffi.load(null);
  const getsockopt = library.func('int getsockopt(int fd, int level, int name, void *value, uint32_t *length)');
  const setsockopt = library.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)');
  const failed = (): Failed => ({ ok: false, errno: koffi.errno() });
  return {
    read: (fd, { level, name }, maxBytes) => {
      const bytes = new Uint8Array(maxBytes);
      const length = Uint32Array.of(maxBytes);
      return getsockopt(fd, level, name, bytes, length) === 0
        ? { ok: true, bytes: bytes.subarray(0, length[0]) }
        : failed();
    },
    turnOn: (fd, { level, name }) => (setsockopt(fd, level, name, Int32Array.of(1), 4) === 0 ? { ok: true } : failed()),
  };
}

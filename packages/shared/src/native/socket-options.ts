/**
 * getsockopt and setsockopt, which Node lacks.
 * Rule: a call that fails returns its errno and throws nothing.
 * Spec: getsockopt(2), ip(7), ipv6(7), tcp(7).
 */
import { bindNative, type Failed, type Loading, type Missing } from './calls.ts';

/** By level and number, as Linux has them on every architecture. */
export const socketOption = {
  originalDestination4: { level: 0, name: 80 }, // SOL_IP, SO_ORIGINAL_DST
  originalDestination6: { level: 41, name: 80 }, // SOL_IPV6, IP6T_SO_ORIGINAL_DST
  transparent4: { level: 0, name: 19 }, // SOL_IP, IP_TRANSPARENT
  transparent6: { level: 41, name: 75 }, // SOL_IPV6, IPV6_TRANSPARENT
  congestion: { level: 6, name: 13 }, // IPPROTO_TCP, TCP_CONGESTION: a name of at most 16 bytes
  info: { level: 6, name: 11 }, // IPPROTO_TCP, TCP_INFO: struct tcp_info
  notSentLowat: { level: 6, name: 25 }, // IPPROTO_TCP, TCP_NOTSENT_LOWAT: bytes
} as const;

export type SocketOption = (typeof socketOption)[keyof typeof socketOption];

export interface SocketOptions {
  /** Returns at most `length` bytes. */
  read(fd: number, option: SocketOption, length: number): { readonly ok: true; readonly bytes: Uint8Array } | Failed;
  /** Sets an integer, or bytes as they are. */
  set(fd: number, option: SocketOption, value: number | Uint8Array): { readonly ok: true } | Failed;
  /** Sets it on a TCP socket made for this, to learn whether it may be set. */
  tryOn(option: SocketOption, value: number | Uint8Array): { readonly ok: true } | Failed;
}

const internet = 2; // AF_INET
const stream = 1 | 0o2000000; // SOCK_STREAM | SOCK_CLOEXEC

let ours: SocketOptions | Missing | undefined;

/** The calls on this machine, loaded at the first use. */
export function socketOptions(): SocketOptions | Missing {
  return (ours ??= loadSocketOptions());
}

/** The calls, loaded anew. */
export function loadSocketOptions(loading?: Loading): SocketOptions | Missing {
  const native = bindNative(
    {
      getsockopt: { takes: ['int32', 'int32', 'int32', 'bytes', 'bytes'], returns: 'int32' },
      socket: { takes: ['int32', 'int32', 'int32'], returns: 'int32' },
      close: { takes: ['int32'], returns: 'int32' },
      setsockopt: { takes: ['int32', 'int32', 'int32', 'bytes', 'uint32'], returns: 'int32' },
    },
    loading,
  );
  if ('missing' in native) return native;
  const { call } = native;
  const failed = (): Failed => ({ ok: false, errno: native.errno() });
  const set: SocketOptions['set'] = (fd, { level, name }, value) => {
    const bytes = typeof value === 'number' ? Int32Array.of(value) : value;
    return call.setsockopt(fd, level, name, bytes, bytes.byteLength) === 0 ? { ok: true } : failed();
  };
  return {
    set,
    read: (fd, { level, name }, maxBytes) => {
      const bytes = new Uint8Array(maxBytes);
      const length = Uint32Array.of(maxBytes);
      return call.getsockopt(fd, level, name, bytes, length) === 0
        ? { ok: true, bytes: bytes.subarray(0, length[0]) }
        : failed();
    },
    tryOn: (option, value) => {
      const fd = call.socket(internet, stream, 0);
      if (fd < 0) return failed();
      const result = set(fd, option, value);
      call.close(fd);
      return result;
    },
  };
}

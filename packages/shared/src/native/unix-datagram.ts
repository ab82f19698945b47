/**
 * One datagram to a Unix socket, which Node lacks: what sd_notify sends.
 * Rule: never blocks (EAGAIN if the receiver is behind), leaves no descriptor open, throws nothing.
 * Spec: unix(7), sendto(2); `sockaddr_un`: family(2, of the machine) path(at most 108, NUL at its end).
 */
import { endianness } from 'node:os';
import { bindNative, type Failed, type Loading, type Missing } from './calls.ts';

export interface UnixDatagram {
  /** `path` may begin with `@`, which names an abstract socket. ENAMETOOLONG (36) above 107 bytes. */
  send(path: string, message: Uint8Array): { readonly ok: true } | Failed;
}

const pathBytes = 108;
const family = 1; // AF_UNIX
const kind = 2 | 0o2000000; // SOCK_DGRAM | SOCK_CLOEXEC
const flags = 0x40 | 0x4000; // MSG_DONTWAIT | MSG_NOSIGNAL
const nameTooLong = 36;

/** The calls, or what is missing. They are loaded here: a caller that sends more than once keeps the result. */
export function unixDatagram(loading?: Loading): UnixDatagram | Missing {
  const native = bindNative(
    {
      socket: { takes: ['int32', 'int32', 'int32'], returns: 'int32' },
      sendto: { takes: ['int32', 'bytes', 'int64', 'int32', 'bytes', 'uint32'], returns: 'int64' },
      close: { takes: ['int32'], returns: 'int32' },
    },
    loading,
  );
  if ('missing' in native) return native;
  const { call } = native;
  const failed = (): Failed => ({ ok: false, errno: native.errno() });
  return {
    send: (path, message) => {
      const address = addressOf(path);
      if (address === undefined) return { ok: false, errno: nameTooLong };
      const fd = call.socket(family, kind, 0);
      if (fd < 0) return failed();
      const length = BigInt(message.byteLength);
      const sent = call.sendto(fd, message, length, flags, address, address.byteLength);
      const result = sent < 0 ? failed() : { ok: true as const };
      call.close(fd);
      return result;
    },
  };
}

/** An abstract name has no NUL at its end: its length says where it ends. */
function addressOf(path: string): Uint8Array | undefined {
  const name = Buffer.from(path.startsWith('@') ? `\0${path.slice(1)}` : `${path}\0`);
  if (name.length > pathBytes) return undefined;
  const head = endianness() === 'LE' ? [family, 0] : [0, family];
  return Uint8Array.from([...head, ...name]);
}

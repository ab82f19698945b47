/**
 * Waits until an accepted socket has something to read, and leaves it in the kernel. Node sizes the buffers that TLS
 * reads into by the first piece that it gets: it then reads a carrier in 64 and 16 KiB by turns, but in 1.5 and 16 KiB
 * after a ClientHello that was read before and handed back.
 * Rule: everything undocumented about this is here. With an empty buffer for its reads, libuv reads nothing and reports
 * UV_ENOBUFS as soon as it could (documented, uv_alloc_cb). `useUserBuffer` of Node's handle gives it that buffer, and
 * `onread` of the handle is told. Where one is missing, or something was read before, nothing is changed.
 * The change is one-way: afterwards the socket reads nothing by itself. Only TLS over it does, which reads its handle
 * into buffers of its own.
 * If Node reads into another buffer after all, the bytes go where they belong, and no other socket is changed.
 */
import type net from 'node:net';
import { peek } from '../native/peek.ts';
import { descriptorOf } from './descriptor.ts';

interface Handle {
  reading?: boolean;
  onread?: (...read: unknown[]) => unknown;
  useUserBuffer?(buffer: Uint8Array): unknown;
  readStop?(): unknown;
}

/** Node keeps a raw pointer to it. */
const empty = Buffer.alloc(0);
/** On Windows libuv asks for the buffer before there is anything to read. */
let possible = process.platform !== 'win32';

/**
 * Resolves with true when the socket has something to read; it reads nothing from then on. With false when it closes
 * before, or ends, and is destroyed: without native calls an end is something to read, which TLS finds. Undefined if
 * this socket cannot be waited for in this way. For a socket that is given to TLS next.
 */
export function awaitReadable(socket: net.Socket): Promise<boolean> | undefined {
  const handle = (socket as unknown as { readonly _handle?: Handle | null })._handle;
  if (!possible || !handle || socket.destroyed || socket.bytesRead > 0 || handle.reading !== true) return undefined;
  const { onread } = handle;
  if (typeof onread !== 'function' || typeof handle.useUserBuffer !== 'function') return undefined;
  if (typeof handle.readStop !== 'function') return undefined;
  handle.useUserBuffer(empty);
  return new Promise((resolve) => {
    const closed = (): void => resolve(false);
    socket.once('close', closed);
    handle.onread = (...read): unknown => {
      handle.onread = onread;
      handle.reading = false;
      handle.readStop!();
      socket.off('close', closed);
      if (socket.bytesRead === 0) {
        const ended = hasEnded(socket);
        if (ended) socket.destroy();
        resolve(!ended);
        return undefined;
      }
      possible = false;
      socket.pause();
      resolve(true);
      return onread.apply(handle, read);
    };
  });
}

function hasEnded(socket: net.Socket): boolean {
  const fd = descriptorOf(socket);
  return fd !== undefined && peek(fd) === 'ended';
}

/**
 * Looks at what a socket would read next, and leaves it there. Node lacks that.
 * Rule: never blocks, throws nothing. Without native calls the answer is undefined.
 * Spec: recv(2) with MSG_PEEK.
 */
import { bindNative, type Loading } from './calls.ts';

const declarations = { recv: { takes: ['int32', 'bytes', 'int64', 'int32'], returns: 'int64' } } as const;
const flags = 0x02 | 0x40; // MSG_PEEK | MSG_DONTWAIT
const again = 11; // EAGAIN
const byte = new Uint8Array(1);

/** `ended`: in order or by a reset. */
export type Next = 'byte' | 'nothing' | 'ended';

/** Takes the descriptor of a stream socket. */
export type Peek = (fd: number) => Next | undefined;

let ours: Peek | undefined;

/** What the socket reads next. The calls are loaded at the first use. */
export const peek: Peek = (fd) => (ours ??= loadPeek())(fd);

/** The call, loaded anew. */
export function loadPeek(loading?: Loading): Peek {
  const native = bindNative(declarations, loading);
  if ('missing' in native) return () => undefined;
  return (fd) => {
    const length = native.call.recv(fd, byte, 1n, flags);
    if (length > 0) return 'byte';
    return length < 0 && native.errno() === again ? 'nothing' : 'ended';
  };
}

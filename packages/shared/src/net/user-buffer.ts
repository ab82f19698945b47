/**
 * Reads into our own buffers on a socket that is there already, as the option `onread` of Node does for a socket that
 * is dialled: a TLS socket that was accepted, or that lies over another duplex, cannot be given that option.
 * Rule: everything undocumented is here. Node keeps buffer, generator and callback of `onread` under symbols of the
 * socket; a probe made with the public option shows which symbols they are, by their values. Where one is missing, or
 * the socket has no `useUserBuffer`, nothing is changed and the caller reads by 'data'.
 * The change is one-way. What was read before it is returned. Node keeps a raw pointer to the buffer: the caller keeps
 * it until the socket has closed. If Node does not use it after all, the first read shows that: that socket is
 * destroyed, and no other is changed.
 */
import net from 'node:net';

/** Where the reads of one socket go. */
export interface BufferReads {
  /** Where the next read goes: at least one byte of room, the caller's until the socket has closed. */
  readonly next: () => Buffer;
  /** So many bytes were read into the last buffer. Pause the socket in order to read no more. */
  readonly arrived: (length: number) => void;
}

/** Under which symbols a socket keeps what `onread` gave. */
export interface OnreadSymbols {
  readonly buffer: symbol;
  readonly generator: symbol;
  readonly callback: symbol;
}

interface Handle {
  useUserBuffer?(buffer: Uint8Array): unknown;
}
type Fields = Record<symbol, unknown> & { readonly _handle?: Handle | null };

/** Undefined: this Node keeps them elsewhere. */
export function findOnreadSymbols(): OnreadSymbols | undefined {
  const bytes = new Uint8Array(1);
  const generate = (): Uint8Array => bytes;
  const callback = (): boolean => true;
  const fixed = fieldsOf(new net.Socket({ onread: { buffer: bytes, callback } }));
  const generated = fieldsOf(new net.Socket({ onread: { buffer: generate, callback } }));
  const found = {
    buffer: onlySymbol(fixed, bytes),
    generator: onlySymbol(generated, generate),
    callback: onlySymbol(generated, callback),
  };
  if (found.buffer === undefined || found.generator === undefined || found.callback === undefined) return undefined;
  return found as OnreadSymbols;
}

let symbols = findOnreadSymbols();

/**
 * Reads the paused socket into buffers from now on. Returns what was read before, which comes first; undefined if this
 * socket cannot be changed. `known` is for tests.
 */
export function readIntoBuffers(socket: net.Socket, reads: BufferReads, known = symbols): Uint8Array | undefined {
  const fields = fieldsOf(socket);
  const handle = fields._handle;
  if (known === undefined || socket.destroyed || typeof handle?.useUserBuffer !== 'function') return undefined;
  // a socket without `onread` has all three, and they are empty
  for (const symbol of [known.buffer, known.generator, known.callback])
    if (!Object.hasOwn(socket, symbol) || fields[symbol]) return undefined;
  const before = drained(socket);
  const first = reads.next();
  fields[known.buffer] = first;
  fields[known.generator] = reads.next;
  fields[known.callback] = (length: number): boolean => {
    reads.arrived(length);
    return true;
  };
  handle.useUserBuffer(first);
  expectNoChunks(socket);
  return before;
}

/** What a read by other means would be: garbage, as its bytes went to our buffer. */
function expectNoChunks(socket: net.Socket): void {
  const push = socket.push.bind(socket);
  socket.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk === null) return push(null, encoding);
    symbols = undefined;
    socket.destroy(new Error('this Node does not read into the buffers that it was given'));
    return false;
  };
}

function drained(socket: net.Socket): Buffer {
  const parts: Buffer[] = [];
  for (let part = socket.read() as Buffer | null; part !== null; part = socket.read() as Buffer | null)
    parts.push(part);
  return Buffer.concat(parts);
}

function onlySymbol(fields: Fields, value: unknown): symbol | undefined {
  const found = Object.getOwnPropertySymbols(fields).filter((symbol) => fields[symbol] === value);
  return found.length === 1 ? found[0] : undefined;
}

function fieldsOf(socket: net.Socket): Fields {
  return socket as unknown as Fields;
}

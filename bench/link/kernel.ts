/**
 * The calls of the kernel that an emulated link needs and Node lacks, through `node:ffi` of the pinned Node.
 * Rule: every call works on the calling thread and blocks it, so the program that uses them does nothing else.
 * Spec: unshare(2), network_namespaces(7), poll(2), and "TUN/TAP" of the kernel's documentation.
 */
import { constants, openSync } from 'node:fs';

interface Ffi {
  dlopen(
    path: null,
    definitions: Readonly<Record<string, { readonly arguments: readonly string[]; readonly return: string }>>,
  ): { readonly functions: Readonly<Record<string, (...values: readonly unknown[]) => number>> };
}

const newNetwork = 0x40000000; // CLONE_NEWNET
const setInterface = 0x400454ca; // TUNSETIFF
const tunWithoutInfo = 0x1001; // IFF_TUN | IFF_NO_PI
const pollIn = 1;
const requestBytes = 40; // struct ifreq
const pollBytes = 8; // struct pollfd: fd(4) events(2) revents(2)

/** The end of a link: packets that its namespace sends are read here, and what is written here arrives there. */
export interface LinkEnd {
  /** The TUN device; reads and writes never block. */
  readonly fd: number;
  /** A path for `nsenter --net=`, good as long as this process lives. */
  readonly namespace: string;
}

export class Kernel {
  readonly #calls: Readonly<Record<'unshare' | 'ioctl' | 'ppoll' | 'read' | 'write', (...values: unknown[]) => number>>;

  /** Fails when this Node has no `node:ffi`. */
  constructor() {
    const ffi = process.getBuiltinModule('node:ffi') as unknown as Ffi | undefined;
    if (ffi === undefined) throw new Error(`Node ${process.versions.node} has no node:ffi, which opens TUN devices`);
    this.#calls = ffi.dlopen(null, {
      unshare: { arguments: ['i32'], return: 'i32' },
      ioctl: { arguments: ['i32', 'u64', 'pointer'], return: 'i32' },
      ppoll: { arguments: ['pointer', 'i32', 'pointer', 'pointer'], return: 'i32' },
      read: { arguments: ['i32', 'pointer', 'i32'], return: 'i32' },
      write: { arguments: ['i32', 'pointer', 'i32'], return: 'i32' },
    }).functions;
  }

  /** Moves this thread into a new network namespace, and opens a TUN device there, down and without an address. */
  newEnd(device: string): LinkEnd {
    if (this.#calls.unshare(newNetwork) !== 0)
      throw new Error('no network namespace can be made: this needs root (CAP_SYS_ADMIN)');
    const fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK);
    const request = Buffer.alloc(requestBytes);
    request.write(device, 'latin1');
    request.writeUInt16LE(tunWithoutInfo, 16);
    if (this.#calls.ioctl(fd, BigInt(setInterface), request) !== 0)
      throw new Error('no TUN device can be made: this needs CAP_NET_ADMIN');
    const namespace = `/proc/${process.pid}/fd/${openSync('/proc/thread-self/ns/net', 'r')}`;
    return { fd, namespace };
  }

  /** Reads one packet; returns its length, or -1 when none waits. */
  read(fd: number, into: Uint8Array): number {
    return this.#calls.read(fd, into, into.length);
  }

  /** Writes one packet; returns false if the interface does not accept it. */
  write(fd: number, packet: Uint8Array): boolean {
    return this.#calls.write(fd, packet, packet.length) === packet.length;
  }

  /** Waits until one of the descriptors can be read, or for `waitMs` (undefined: for ever). */
  poller(fds: readonly number[]): (waitMs: number | undefined) => boolean[] {
    const asked = Buffer.alloc(fds.length * pollBytes);
    for (const [at, fd] of fds.entries()) {
      asked.writeInt32LE(fd, at * pollBytes);
      asked.writeInt16LE(pollIn, at * pollBytes + 4);
    }
    const patience = new BigInt64Array(2); // struct timespec
    return (waitMs) => {
      const nanoseconds = Math.ceil((waitMs ?? 0) * 1e6);
      patience[0] = BigInt(Math.floor(nanoseconds / 1e9));
      patience[1] = BigInt(nanoseconds % 1e9);
      this.#calls.ppoll(asked, fds.length, waitMs === undefined ? null : patience, null);
      return fds.map((_, at) => asked.readInt16LE(at * pollBytes + 6) !== 0);
    };
  }
}

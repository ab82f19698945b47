/** The machines that a release is for, in the words of everybody who names them. */

export interface Machine {
  /** As Node, npm and the names of our files call it. */
  readonly node: 'x64' | 'arm64';
  /** As Debian and OCI call it. */
  readonly debian: 'amd64' | 'arm64';
  /** Where Debian keeps its libraries, below `lib/` and `usr/lib/`. */
  readonly triplet: string;
  /** The path that is written in its programs. */
  readonly loader: string;
  /** The emulator of `qemu-user-static`. */
  readonly emulator: string;
}

export const machines: readonly Machine[] = [
  {
    node: 'x64',
    debian: 'amd64',
    triplet: 'x86_64-linux-gnu',
    loader: 'lib64/ld-linux-x86-64.so.2',
    emulator: 'qemu-x86_64-static',
  },
  {
    node: 'arm64',
    debian: 'arm64',
    triplet: 'aarch64-linux-gnu',
    loader: 'lib/ld-linux-aarch64.so.1',
    emulator: 'qemu-aarch64-static',
  },
];

export function machineOf(node: string): Machine {
  const machine = machines.find((each) => each.node === node);
  if (machine === undefined) throw new RangeError(`${node}: one of ${machines.map((each) => each.node).join(', ')}`);
  return machine;
}

/**
 * Two hosts with a bad link between them: network namespaces of their own, joined packet by packet by the emulator that
 * the benchmark uses (bench/link/emulator.ts).
 * Rule: a host is entered by its `prefix` and reached from nowhere else, so that two runs cannot meet; it ends with the
 * emulator and has no name that could be left behind. Addresses are the test's to give and to take. Needs Linux, root
 * and /dev/net/tun.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { Child, succeed } from './child.ts';
import type { Ability } from './scenario.ts';

/** For `scenario`, together with the programs that this file starts. */
export const namespaces: readonly (string | Ability)[] = [
  'ip',
  'nsenter',
  'unshare',
  { name: 'root with network namespaces and /dev/net/tun', here: mayMakeNamespaces },
];

export interface LinkOptions {
  /** One way. */
  readonly delayMs: number;
  /** Of all packets, each way. */
  readonly lossPercent: number;
  /** Each way. */
  readonly megabitsPerSecond: number;
  readonly seed?: number;
}

/** What became of the packets of one direction. */
export interface Crossed {
  readonly packets: number;
  readonly bytes: number;
  readonly lost: number;
  /** Too many waited for the rate. */
  readonly overflowed: number;
  /** The interface at the end was down. */
  readonly unreachable: number;
}

const device = 'wan0';

export class Host {
  /** Starts a command on this host. */
  readonly prefix: readonly string[];

  constructor(namespace: string) {
    this.prefix = ['nsenter', `--net=${namespace}`];
  }

  /** Brings the interface up with this address and no other, and a route to everywhere over it. */
  async up(address: string): Promise<void> {
    await this.#ip('address', 'flush', 'dev', device);
    await this.#ip('address', 'add', address, 'dev', device);
    await this.#ip('link', 'set', device, 'up');
    await this.#ip('route', 'replace', 'default', 'dev', device, ...(bbr() ? ['congctl', 'bbr'] : []));
  }

  /** Takes the interface down: its routes are gone, and sending fails at once. */
  async down(): Promise<void> {
    await this.#ip('link', 'set', device, 'down');
  }

  /** Its loopback; done for every host of `openLink`. */
  async start(): Promise<this> {
    await this.#ip('link', 'set', 'lo', 'up');
    return this;
  }

  async #ip(...args: readonly string[]): Promise<void> {
    await succeed(this.prefix[0]!, [...this.prefix.slice(1), 'ip', ...args]);
  }
}

export interface Link {
  readonly near: Host;
  readonly far: Host;
  /** Resolves when this many bytes have crossed, both ways together. */
  crossed(bytes: number, ms?: number): Promise<void>;
  /** Cuts the link, with all that is on its way and without a word to either host, or brings it back. */
  set(state: 'down' | 'up'): Promise<void>;
  /** Up is from near to far. */
  counts(): Promise<Readonly<Record<'up' | 'down', Crossed>>>;
}

/** Two hosts and the link between them, both interfaces down and without an address. */
export async function openLink({ delayMs, lossPercent, megabitsPerSecond, seed = 1 }: LinkOptions): Promise<Link> {
  const emulator = new Child(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, '..', '..', 'bench', 'link', 'emulator.ts'),
      device,
      ...[delayMs, lossPercent, megabitsPerSecond, seed].map(String),
    ],
    { name: 'link emulator', listens: true },
  );
  const [, near, far] = await emulator.line(/^ready (\S+) (\S+)$/);
  const told = (line: RegExp): number => emulator.lines.filter((each) => line.test(each)).length;
  /** Says a command and waits for the answer to it: the next of its kind. */
  const ask = async (command: string, answer: RegExp, ms?: number): Promise<string> => {
    const nth = told(answer);
    emulator.say(command);
    return emulator.until(`an answer to ${command}`, () => emulator.lines.filter((each) => answer.test(each))[nth], ms);
  };
  return {
    near: await new Host(near!).start(),
    far: await new Host(far!).start(),
    crossed: async (bytes, ms) => {
      await ask(`after ${bytes}`, new RegExp(`^after ${bytes}$`), ms);
    },
    set: async (state) => {
      await ask(state, new RegExp(`^${state}$`));
    },
    counts: async () =>
      JSON.parse((await ask('counts', /^counts /)).slice('counts '.length)) as Record<'up' | 'down', Crossed>,
  };
}

/**
 * Can this kernel send by BBR? What sends by CUBIC takes each loss for a full queue: 1% of them over 80 ms leaves it 2
 * Mbit/s of any link.
 */
export function bbr(): boolean {
  return (mayBbr ??=
    spawnSync('unshare', ['--net', 'sh', '-c', 'ip link set lo up && ip route add 192.0.2.0/24 dev lo congctl bbr'])
      .status === 0);
}
let mayBbr: boolean | undefined;

function mayMakeNamespaces(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || spawnSync('unshare', ['--net', 'true']).status !== 0)
    return false;
  try {
    closeSync(openSync('/dev/net/tun', 'r+'));
    return true;
  } catch {
    return false;
  }
}

/**
 * Two hosts and a bad link between them: network namespaces that only their programs know, joined by emulator.ts.
 * Rule: nothing has a name, so that two runs cannot meet and nothing is left behind: the emulator ends with the
 * benchmark, and what runs in the namespaces is killed with it.
 */
import { accessSync, constants } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import type { Place } from '../pair.ts';
import { Child, run, tail } from '../process/child.ts';
import { absent } from '../test.ts';
import { farAddress } from './far-address.ts';
import type { Counts } from './way.ts';

export interface LinkOptions {
  /** One way. */
  readonly delayMs: number;
  /** Of all packets, each way. */
  readonly lossPercent: number;
  /** Each way. */
  readonly megabitsPerSecond: number;
  /** Of both hosts; default: the machine's. */
  readonly congestion?: string;
  readonly seed: number;
}

export interface Link {
  readonly near: Place;
  readonly far: Place;
  /** What has become of the packets; up is from near to far. */
  counts(): Promise<Readonly<Record<'up' | 'down', Counts>>>;
  close(): Promise<void>;
}

const device = 'wan0';
const network = '10.77.0.0/24';
const nearAddress = '10.77.0.1';
const program = join(import.meta.dirname, 'emulator.ts');
const patienceMs = 10_000;

/** Why this machine cannot have such a link, or undefined. */
export function noLinks(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'links between network namespaces need Linux and root';
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
  } catch {
    return 'links between network namespaces need /dev/net/tun';
  }
  return absent(['ip', 'nsenter', 'setpriv']);
}

/** Makes the link; both hosts have an address. */
export async function openLink({
  delayMs,
  lossPercent,
  megabitsPerSecond,
  congestion,
  seed,
}: LinkOptions): Promise<Link> {
  const emulator = new Child(
    [process.execPath, '--disable-warning=ExperimentalWarning', program, device].concat(
      [delayMs, lossPercent, megabitsPerSecond, seed].map(String),
    ),
    { name: 'the link emulator' },
  );
  const lines = createInterface(emulator.process.stdout!)[Symbol.asyncIterator]();
  try {
    const [, nearNamespace, farNamespace] = (await answer(emulator, lines, 'ready')).split(' ') as [
      string,
      string,
      string,
    ];
    const hosts = { near: host(nearNamespace, nearAddress), far: host(farNamespace, farAddress) };
    await Promise.all(Object.values(hosts).map((place) => up(place, congestion)));
    return {
      ...hosts,
      counts: async () => {
        emulator.process.stdin!.write('counts\n');
        const text = await answer(emulator, lines, 'counts');
        return JSON.parse(text.slice('counts '.length)) as Awaited<ReturnType<Link['counts']>>;
      },
      close: () => emulator.stop(),
    };
  } catch (error) {
    await emulator.stop();
    throw error;
  }
}

/** The next line of the emulator, which must begin with a word. */
async function answer(emulator: Child, lines: AsyncIterator<string>, word: string): Promise<string> {
  let complaint = '';
  emulator.process.stderr!.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const timer = setTimeout(() => emulator.kill(), patienceMs);
  try {
    const { value, done } = await lines.next();
    if (done !== true && value.startsWith(`${word} `)) return value;
    await emulator.exit;
    throw new Error(`${emulator.complaint()}: ${tail(complaint)}`);
  } finally {
    clearTimeout(timer);
  }
}

function host(namespace: string, address: string): Place {
  return { prefix: ['setpriv', '--pdeathsig', 'KILL', 'nsenter', `--net=${namespace}`], address };
}

/** IPv6 would send packets of its own, and with them each run would lose others. */
const noIpv6 = 'f=/proc/sys/net/ipv6/conf/all/disable_ipv6; [ ! -e "$f" ] || echo 1 >"$f"';

async function up({ prefix, address }: Place, congestion: string | undefined): Promise<void> {
  const control = congestion === undefined ? [] : ['congctl', congestion];
  for (const command of [
    ['sh', '-c', noIpv6],
    ['ip', 'link', 'set', 'lo', 'up'],
    ['ip', 'address', 'add', `${address}/24`, 'dev', device],
    ['ip', 'link', 'set', device, 'up'],
    ['ip', 'route', 'replace', network, 'dev', device, 'src', address, ...control],
  ]) {
    const { status, stderr } = await run([...prefix, ...command], { timeoutMs: patienceMs });
    if (status !== 0) throw new Error(`${command.join(' ')}: ${tail(stderr)}`);
  }
}

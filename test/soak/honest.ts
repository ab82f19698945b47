/**
 * Honest clients of the soak, as a process of their own: each kind repeats one exchange until it is told to stop.
 * Rule: an exchange is done when every byte was right and the connection ended as it had to; all else is a failure.
 * usage: node test/soak/honest.ts '{"doors": {...}, "kinds": [...]}'
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { pattern, patternHash } from '../support/pattern.ts';
import { within } from '../support/scope.ts';
import { type ConnectAt, connectByHttp1, connectByHttp2 } from './connect.ts';
import { Counting, report, toldToStop } from './tally.ts';

/** The ports of one ingress by the service behind them. */
export type Ports = Readonly<Record<'echo' | 'hashes' | 'pours' | 'resets', number>>;

export interface HonestOptions {
  /** Ways into the tunnel by a name. */
  readonly doors: Readonly<Record<string, Ports>>;
  readonly kinds: readonly string[];
  /** For clients without an ingress. */
  readonly connect?: ConnectAt;
}

const patienceMs = 30_000;
const megabytes = 4;
const expectedHash = patternHash(megabytes);
const { doors, kinds, connect } = JSON.parse(process.argv[2] ?? '') as HonestOptions;
let stopping = false;
const stop = toldToStop().then(() => {
  stopping = true;
});

/** One exchange through a door. */
const exchanges: Readonly<Record<string, (ports: Ports, tally: Counting) => Promise<void>>> = {
  latency: async ({ echo }, tally) => {
    const socket = await open(echo);
    while (!stopping) {
      const started = performance.now();
      await echoes(socket, randomBytes(64));
      tally.latenciesMs.push(performance.now() - started);
      tally.done++;
      await delay(50);
    }
    await ends(socket);
  },
  request: async ({ echo }) => {
    const socket = await open(echo);
    await echoes(socket, randomBytes(1 + Math.floor(Math.random() * 20_000)));
    await ends(socket);
  },
  idle: async ({ echo }) => {
    const socket = await open(echo);
    await echoes(socket, Buffer.from('before'));
    await stop;
    await echoes(socket, Buffer.from('after'));
    await ends(socket);
  },
  up: async ({ hashes }) => {
    const socket = await open(hashes);
    for (const chunk of pattern(megabytes))
      if (!socket.write(chunk)) await Promise.race([once(socket, 'drain'), gone(socket)]);
    socket.end();
    equal((await rest(socket)).toString(), `${megabytes * 2 ** 20} ${expectedHash}`);
  },
  down: async ({ pours }) => {
    const socket = await open(pours);
    socket.write(String(megabytes));
    const hash = createHash('sha256');
    for await (const chunk of socket) hash.update(chunk as Buffer);
    equal(hash.digest('hex'), expectedHash);
    socket.end();
  },
  'half-close': async ({ hashes }) => {
    const socket = await open(hashes);
    socket.end('half');
    equal((await rest(socket)).toString(), `4 ${createHash('sha256').update('half').digest('hex')}`);
  },
  reset: async ({ resets }) => {
    const socket = await open(resets);
    socket.write('reset me');
    const error: unknown = await rest(socket).catch((caught: unknown) => caught);
    equal((error as NodeJS.ErrnoException).code, 'ECONNRESET');
  },
};
const withoutIngress = { 'CONNECT h1': connectByHttp1, 'CONNECT h2': connectByHttp2 };

const jobs = Object.entries(doors).flatMap(([door, ports]) =>
  kinds.map((kind) => repeated(`${kind}, ${door}`, (tally) => exchanges[kind]!(ports, tally))),
);
if (connect !== undefined)
  for (const [kind, dial] of Object.entries(withoutIngress))
    jobs.push(repeated(kind, async () => dial(connect, async (duplex) => echoes(duplex, randomBytes(5_000)))));
report(await Promise.all(jobs));

/** Repeats an exchange until it is told to stop; `latency` and `idle` last until then. */
async function repeated(name: string, exchange: (tally: Counting) => Promise<void>): Promise<Counting> {
  const tally = new Counting(name);
  const lasting = /^(latency|idle),/.test(name);
  while (!stopping) {
    try {
      const once = exchange(tally);
      await (lasting ? once : within(patienceMs, name, once));
      tally.done++;
    } catch (error) {
      tally.fail(error);
    }
    if (!stopping) await delay(20);
  }
  return tally;
}

async function open(port: number): Promise<net.Socket> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  await within(patienceMs, 'a connection', once(socket, 'connect'));
  socket.on('error', () => {
    /* whoever waits for the socket is told by once, rest or gone */
  });
  return socket;
}

/** Writes the words and reads the same, no more and no less. */
async function echoes(duplex: Duplex, words: Buffer): Promise<void> {
  duplex.write(words);
  const chunks: Buffer[] = [];
  const all = async (): Promise<void> => {
    for (let length = 0; length < words.length;) {
      const [chunk] = (await Promise.race([once(duplex, 'data'), gone(duplex)])) as [Buffer];
      chunks.push(chunk);
      length += chunk.length;
    }
  };
  await within(patienceMs, 'an echo', all());
  if (!Buffer.concat(chunks).equals(words)) throw new Error('other bytes came back');
}

/** Our end, answered by theirs. */
async function ends(socket: net.Socket): Promise<void> {
  socket.end();
  equal((await rest(socket)).length, 0);
}

/** What comes until the end; rejects with the reset. */
async function rest(duplex: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of duplex) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Rejects when the connection ends or is cut before what is waited for. */
async function gone(duplex: Duplex): Promise<never> {
  await Promise.race(['end', 'close'].map((event) => once(duplex, event)));
  throw new Error('the connection ended early');
}

function equal(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${String(expected)} was expected, and ${String(actual)} came`);
}

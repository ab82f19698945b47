/**
 * A bad network between the two halves: a TCP relay of our own that kills, stalls, delays, throttles and splits.
 * Rule: what it does is drawn from its seed and counted; it never changes, reorders or loses a byte of a connection
 * that it does not kill. A kill delivers exactly the bytes that were due by then, so that it cuts records and frames in
 * half.
 */
import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { Pump, type Road } from './pump.ts';
import { atEnd } from './scope.ts';

export type Death = 'reset' | 'end';

export interface ChaosOptions {
  readonly seed?: number;
  /** Kills each connection after a time drawn from this range, ms. */
  readonly killAfterMs?: readonly [number, number];
  /** Or after a number of bytes drawn from this range, both directions together. */
  readonly killAfterBytes?: readonly [number, number];
  /** How a killed connection dies, on both sides; drawn for each kill. Default: by a reset. */
  readonly deaths?: readonly Death[];
  /** Forwards in pieces of at most this many bytes. */
  readonly splitBytes?: number;
  /** Delay of each byte, ms. */
  readonly delayMs?: number;
  /** For each connection and direction. */
  readonly bytesPerSecond?: number;
  /** Throttles only what comes back from the far side. */
  readonly answersOnly?: boolean;
  /** Stalls the open connections once so many bytes have passed, of both directions. */
  readonly stallAfterBytes?: number;
  /** The address that the far side sees; change it as a laptop changes its network. */
  readonly from?: string;
}

/** What it has done so far. */
export interface Deeds {
  connections: number;
  readonly died: Record<Death, number>;
  stalls: number;
  /** Of both directions. */
  bytes: number;
  pieces: number;
}

export interface Chaos {
  readonly port: number;
  readonly did: Readonly<Deeds>;
  /** Connections that were killed. */
  readonly kills: number;
  /** Connections that are open now. */
  readonly open: number;
  /** The address that the next connections come from. */
  from: string | undefined;
  /** The port that the next connections go to. */
  to: number;
  /** Kills the connections that are open now. */
  cut(death?: Death): void;
  /** From now on no byte, end or reset passes: on the open connections, or on those and all new ones. */
  stall(which?: 'open' | 'all'): void;
  /**
   * The network is back: what it held passes. A connection that one side gave up meanwhile stays silent: the other
   * side does not learn of it.
   */
  flow(): void;
  /** Stops the kills that are drawn from the seed. */
  calm(): void;
}

interface Line extends Road {
  readonly near: Socket;
  readonly far: Socket;
  readonly timer: NodeJS.Timeout | undefined;
  budget: number;
  pumps: readonly Pump[];
}

/** Relays to 127.0.0.1:`port`. */
export async function chaos(port: number, options: ChaosOptions = {}): Promise<Chaos> {
  const {
    seed = 1,
    killAfterMs,
    killAfterBytes,
    deaths = ['reset'],
    splitBytes = Infinity,
    delayMs = 0,
    bytesPerSecond = Infinity,
    answersOnly = false,
    stallAfterBytes = Infinity,
  } = options;
  const random = generator(seed);
  const between = ([low, high]: readonly [number, number]): number => low + Math.floor(random() * (high - low));
  const did: Deeds = { connections: 0, died: { reset: 0, end: 0 }, stalls: 0, bytes: 0, pieces: 0 };
  const lines = new Set<Line>();
  let [calm, stalled, from, to] = [false, false, options.from, port];
  const kill = (line: Line, death: Death): void => {
    if (!forget(line)) return;
    did.died[death]++;
    for (const socket of [line.near, line.far])
      if (death === 'reset') socket.resetAndDestroy();
      else socket.destroy();
  };
  const forget = (line: Line): boolean => {
    clearTimeout(line.timer);
    for (const pump of line.pumps) pump.stop();
    return lines.delete(line);
  };
  /** When one side is gone the other goes in the same way, unless the network is silent. */
  const part = (line: Line): void => {
    if (!forget(line)) return;
    for (const [gone, left] of [
      [line.near, line.far],
      [line.far, line.near],
    ] as const)
      if (gone.destroyed) {
        if (gone.errored) left.resetAndDestroy();
        else left.destroySoon();
      }
  };
  const stall = (which: 'open' | 'all' = 'open'): void => {
    did.stalls++;
    stalled = which === 'all';
    for (const line of lines) line.stalled = true;
  };
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
    did.connections++;
    const far = connect({
      port: to,
      host: '127.0.0.1',
      noDelay: true,
      allowHalfOpen: true,
      ...(from !== undefined && { localAddress: from }),
    });
    const death = deaths[Math.floor(random() * deaths.length)]!;
    const timer =
      killAfterMs && !calm
        ? setTimeout(() => {
            if (!calm) kill(line, death);
          }, between(killAfterMs))
        : undefined;
    const line: Line = {
      near,
      far,
      timer,
      splitBytes,
      delayMs,
      bytesPerSecond,
      stalled,
      pumps: [],
      budget: killAfterBytes && !calm ? between(killAfterBytes) : Infinity,
      may: (bytes) => (calm ? bytes : Math.min(bytes, line.budget)),
      passed: (bytes) => {
        did.bytes += bytes;
        did.pieces++;
        line.budget -= bytes;
        if (did.bytes >= stallAfterBytes && did.stalls === 0) stall();
        if (line.budget <= 0 && !calm) kill(line, death);
      },
    };
    const outward: Line = answersOnly ? Object.create(line, { bytesPerSecond: { value: Infinity } }) : line;
    line.pumps = [new Pump(near, far, outward), new Pump(far, near, line)];
    lines.add(line);
    for (const socket of [near, far])
      socket
        .on('error', () => {})
        .on('close', () => {
          if (!line.stalled) part(line);
        });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.close();
    for (const line of [...lines]) {
      forget(line);
      line.near.destroy();
      line.far.destroy();
    }
  });
  return {
    port: (server.address() as AddressInfo).port,
    did,
    get kills() {
      return did.died.reset + did.died.end;
    },
    get open() {
      return lines.size;
    },
    get from() {
      return from;
    },
    set from(address) {
      from = address;
    },
    get to() {
      return to;
    },
    set to(next) {
      to = next;
    },
    cut: (death = 'reset') => {
      for (const line of [...lines]) kill(line, death);
    },
    stall,
    flow: () => {
      stalled = false;
      for (const line of lines)
        if (!line.near.destroyed && !line.far.destroyed) {
          line.stalled = false;
          for (const pump of line.pumps) pump.step();
        }
    },
    calm: () => {
      calm = true;
    },
  };
}

/** A small generator of numbers in [0, 1) (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

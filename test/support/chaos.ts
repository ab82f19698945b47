/**
 * A bad network between the two halves: a TCP relay of our own that kills, stalls, delays, throttles and splits.
 * Rule: deterministic by its seed; it counts what it did; it never changes a byte. Whoever dials through it has an ordinary socket.
 */
import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { Transform } from 'node:stream';
import { atEnd } from './scope.ts';

export interface ChaosOptions {
  readonly seed?: number;
  /** Kills each connection, by a reset of both sides, after a time drawn from this range, ms. */
  readonly killAfterMs?: readonly [number, number];
  /** Or after a number of bytes drawn from this range, both directions together. */
  readonly killAfterBytes?: readonly [number, number];
  /** Forwards in pieces of at most so many bytes. */
  readonly splitBytes?: number;
  /** Holds every piece back for so long, ms. */
  readonly delayMs?: number;
  /** The address that the far side sees; change it as a laptop that changes its network. */
  readonly from?: string;
}

export interface Chaos {
  readonly port: number;
  /** Connections that were killed. */
  readonly kills: number;
  /** Where the next connections come from. */
  from: string | undefined;
  /** Resets what is connected now. */
  cut(): void;
  /** From now on nothing passes and nothing is said, on the connections that are open; new ones work. */
  stall(): void;
  /** No further kills. */
  calm(): void;
}

/** Relays to 127.0.0.1:`to`. */
export async function chaos(to: number, options: ChaosOptions = {}): Promise<Chaos> {
  const { seed = 1, killAfterMs, killAfterBytes, splitBytes = Infinity, delayMs = 0 } = options;
  const random = generator(seed);
  const between = ([low, high]: readonly [number, number]): number => low + Math.floor(random() * (high - low));
  const open = new Map<Socket, { readonly far: Socket; stalled: boolean }>();
  const state = { kills: 0, calm: false, from: options.from };
  const kill = (near: Socket): void => {
    const far = open.get(near)?.far;
    if (!far || !open.delete(near)) return;
    state.kills++;
    near.resetAndDestroy();
    far.resetAndDestroy();
  };
  const server = createServer({ noDelay: true }, near => {
    const far = connect({ port: to, host: '127.0.0.1', noDelay: true, ...(state.from !== undefined && { localAddress: state.from }) });
    const link = { far, stalled: false };
    open.set(near, link);
    let budget = killAfterBytes && !state.calm ? between(killAfterBytes) : Infinity;
    const timer = killAfterMs && !state.calm ? setTimeout(() => { if (!state.calm) kill(near); }, between(killAfterMs)) : undefined;
    const pass = (): Transform => new Transform({
      transform(chunk: Buffer, _encoding, done) {
        if (link.stalled) return; // never called back: both sides see a network that says nothing
        budget -= chunk.length;
        if (budget <= 0 && !state.calm) { kill(near); return; }
        for (let at = 0; at < chunk.length; at += splitBytes) this.push(chunk.subarray(at, Math.min(chunk.length, at + splitBytes)));
        if (delayMs > 0) setTimeout(done, delayMs); else done();
      },
    });
    const gone = (): void => {
      clearTimeout(timer);
      open.delete(near);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on('error', () => {}).on('close', gone);
    near.pipe(pass()).pipe(far);
    far.pipe(pass()).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => { server.close(); for (const near of [...open.keys()]) near.destroy(); });
  return {
    port: (server.address() as AddressInfo).port,
    get kills() { return state.kills; },
    get from() { return state.from; },
    set from(address) { state.from = address; },
    cut: () => { for (const near of [...open.keys()]) kill(near); },
    stall: () => { for (const link of open.values()) link.stalled = true; },
    calm: () => { state.calm = true; },
  };
}

/** A small generator of numbers in [0, 1) (mulberry32). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

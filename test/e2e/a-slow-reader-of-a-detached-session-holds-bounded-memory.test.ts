import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { openCuttableTunnel } from '../support/cuttable-tunnel.ts';
import { pattern, patternHash } from '../support/pattern.ts';
import { scenario } from '../support/scenario.ts';
import { atEnd, eventually, within } from '../support/scope.ts';
import { service } from '../support/services.ts';

const mebibyte = 2 ** 20;
const [streams, megabytesEach] = [8, 64];
/** `--max-replay-per-session`: what one session keeps until it is acknowledged. */
const replay = 8 * mebibyte;
/** One read of 64 KiB for each stream may be under way when the limit is met. */
const reads = streams * 65_536;
/** What a session writes ahead on its carrier, in clear text and encrypted. */
const carrier = 2 * 262_144;
/**
 * What the runtime needs on top, busy or not: the heap between two collections, read buffers to be reused, fragments.
 * The flood is eight times as much.
 */
const runtime = 64 * mebibyte;

/** Bytes that the kernel holds for the connections to a port, on either side of them. */
function inKernel(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const rows = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((row) => row.trim().split(/\s+/))
    .filter(([, local, remote]) => local?.endsWith(`:${hex}`) || remote?.endsWith(`:${hex}`));
  return rows.reduce(
    (sum, [, , , , queues = '0:0']) => sum + queues.split(':').reduce((both, queue) => both + parseInt(queue, 16), 0),
    0,
  );
}

/**
 * Offers `megabytesEach` of the pattern that the first byte asks for; knows how much the egress took from its kernel.
 */
async function flood() {
  let written = 0;
  const source = await service((socket) => {
    void (async () => {
      const [seed] = (await once(socket, 'data')) as [Buffer];
      for (const block of pattern(megabytesEach, seed.readUInt8()))
        for (let at = 0; at < block.length; at += 65_536) {
          const chunk = block.subarray(at, at + 65_536);
          if (
            !socket.write(chunk, (error) => {
              if (!error) written += chunk.length;
            })
          )
            await once(socket, 'drain');
        }
      socket.end();
    })().catch(() => {}); // its reader sees what is missing
  });
  return { at: source.at, taken: () => written - inKernel(source.port) };
}

/** A client that reads into a hash: from the start, or once it is resumed. */
function reader(port: number, seed: number) {
  const socket: Socket = connect({ port, host: '127.0.0.1' });
  atEnd(() => {
    socket.destroy();
  });
  const hash = createHash('sha256');
  const state = { socket, seed, bytes: 0, done: once(socket, 'end').then(() => hash.digest('hex')) };
  state.done.catch(() => {});
  socket.on('data', (chunk: Buffer) => {
    state.bytes += chunk.length;
    hash.update(chunk);
  });
  socket.write(Buffer.of(seed));
  return state;
}

/** Resolves when `read` says the same for two seconds. */
async function settled(read: () => number): Promise<number> {
  let [value, sinceMs] = [read(), performance.now()];
  while (performance.now() - sinceMs < 2_000) {
    await delay(50);
    const now = read();
    if (now !== value) [value, sinceMs] = [now, performance.now()];
  }
  return value;
}

const peak = (pid: number): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) * 1024;

scenario(
  'a flood of half a gigabyte to a session without a path is held back at its limits, in bounded memory, and ' +
    'arrives whole when the path is back',
  existsSync('/proc/net/tcp') ? [] : ['/proc/net/tcp'],
  async () => {
    const source = await flood();
    const { egress, ingress, network } = await openCuttableTunnel({
      to: { source: source.at },
      network: { bytesPerSecond: 48 * mebibyte },
    });
    const idle = await egress.process.residentBytes();
    const readers = Array.from({ length: streams }, (_, n) => reader(ingress.ports['source']!, n + 1));
    const slow = readers.slice(0, 2);
    for (const { socket } of slow) socket.pause(); // two that do not read at all, six that do
    await eventually(
      'the first tenth',
      () => readers.reduce((sum, { bytes }) => sum + bytes, 0) >= (streams * megabytesEach * mebibyte) / 10,
      { ms: 60_000 },
    );
    const attached = await egress.process.residentBytes();

    const before = source.taken();
    // Silence: the egress goes on until what is not acknowledged reaches its limit; new carriers get no answer.
    network.stall('all');
    const stalled = await settled(source.taken);
    network.cut(); // now it knows
    const { heldBytes } = (await egress.process.event('detached')) as { heldBytes?: number };
    const after = await settled(source.taken);
    const detached = await egress.process.residentBytes();
    const measured = { idle, attached, detached, peak: peak(egress.process.pid), heldBytes, before, stalled, after };
    expect(heldBytes).toBeGreaterThan(0);
    expect(heldBytes).toBeLessThanOrEqual(replay + reads);
    // Acknowledgements that were on their way into the silence may make room for as much once more.
    expect(stalled - before).toBeLessThanOrEqual(2 * replay + reads);
    expect(after - stalled).toBeLessThanOrEqual(reads);
    for (const resident of [detached, measured.peak])
      expect(resident).toBeLessThanOrEqual(idle + replay + reads + carrier + runtime);

    network.flow();
    for (const { socket } of slow) socket.resume();
    await ingress.process.event('connected', { resumed: true });
    for (const { done, seed } of readers)
      expect(await within(120_000, `the rest of stream ${seed}`, done)).toBe(patternHash(megabytesEach, seed));
    expect(peak(egress.process.pid)).toBeLessThanOrEqual(idle + replay + reads + carrier + runtime);
    expect(ingress.process.all('connected').filter(({ resumed }) => resumed !== true)).toHaveLength(1);
  },
  300_000,
);

/**
 * Program: a link between two network namespaces of its own making, joined packet by packet (way.ts).
 *   node emulator.ts DEVICE DELAY_MS LOSS_PERCENT MEGABITS SEED      delay one way, the rest each way
 * It says `ready NEAR FAR`, which are paths for `nsenter --net=`, and takes one command a line on standard input, each
 * answered when it is in force: `down` (what is sent and what is on its way is gone, and nobody is told), `up`,
 * `delay MS`, `loss PERCENT`, `counts` (answered by JSON), and `after BYTES`, answered when so many have crossed.
 * Rule: it ends with its standard input. The namespaces have no names: when it and the programs in them are gone,
 * nothing is left, however they ended.
 * TypeScript, because the pinned Node has `node:ffi`; there is nothing to install or to compile.
 */
import { readSync, writeSync } from 'node:fs';
import { Kernel } from './kernel.ts';
import { Way } from './way.ts';

/** Packets that are taken from one end before the other has its turn. */
const burst = 64;
const largestPacket = 65_536;
/** Between two turns, so that a busy link takes a few percent of a core; a packet is late by this much at most. */
const napMs = 0.2;

const [device = '', ...numbers] = process.argv.slice(2);
const [delayMs = 0, lossPercent = 0, megabitsPerSecond = 1000, seed = 1] = numbers.map(Number);
const kernel = new Kernel();
const [near, far] = [kernel.newEnd(device), kernel.newEnd(device)];
const up = new Way({ delayMs, lossPercent, megabitsPerSecond, seed });
const down = new Way({ delayMs, lossPercent, megabitsPerSecond, seed: seed + 1 });
const directions = [
  { way: up, from: near.fd, to: far.fd },
  { way: down, from: far.fd, to: near.fd },
] as const;
const scratch = Buffer.alloc(largestPacket);
let marks: number[] = [];

function pass(): void {
  const poll = kernel.poller([0, near.fd, far.fd]);
  const nap = kernel.poller([]);
  let commands = '';
  for (; ; nap(napMs)) {
    const due = Math.min(up.dueMs ?? Infinity, down.dueMs ?? Infinity);
    const [told, ...readable] = poll(due === Infinity ? undefined : Math.max(0, due - performance.now()));
    for (const [at, { way, from, to }] of directions.entries()) {
      if (readable[at]) take(way, from);
      give(way, to);
    }
    if (marks.length > 0) tellMarks();
    if (!told) continue;
    const length = readSync(0, scratch);
    if (length === 0) return;
    const lines = (commands + scratch.toString('latin1', 0, length)).split('\n');
    commands = lines.pop()!;
    for (const line of lines) obey(line);
  }
}

function take(way: Way, from: number): void {
  for (let left = burst; left > 0; left--) {
    const length = kernel.read(from, scratch);
    if (length <= 0) return;
    way.offer(Buffer.from(scratch.subarray(0, length)), performance.now());
  }
}

function give(way: Way, to: number): void {
  for (let packet = way.take(performance.now()); packet !== undefined; packet = way.take(performance.now()))
    way.delivered(packet.length, kernel.write(to, packet));
}

function obey(line: string): void {
  const [command, value = ''] = line.split(' ');
  if (command === 'down' || command === 'up')
    for (const { way } of directions) {
      way.down = command === 'down';
      if (way.down) way.cut();
    }
  else if (command === 'delay') for (const { way } of directions) way.delayMs = Number(value);
  else if (command === 'loss') for (const { way } of directions) way.lossPercent = Number(value);
  else if (command === 'counts') return say(`counts ${JSON.stringify({ up: up.counts, down: down.counts })}`);
  else if (command === 'after') return void marks.push(Number(value));
  else throw new Error(`unknown command ${command}`);
  say(line);
}

function tellMarks(): void {
  const crossed = up.counts.bytes + down.counts.bytes;
  for (const mark of marks.filter((each) => each <= crossed)) say(`after ${mark}`);
  marks = marks.filter((each) => each > crossed);
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

say(`ready ${near.namespace} ${far.namespace}`);
pass();

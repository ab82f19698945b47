/**
 * Program: `node link-client.ts HOST PORT PLAN`. Measures through one pair across a link what PLAN, a JSON, asks for,
 * and writes what it saw as JSON (plan.ts).
 * Rule: bulk counts what the reader got, from when it has had time to open its window; pings count when the tunnel has
 * had a second to settle; a connection that breaks fails the whole.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { median } from '../report/statistics.ts';
import type { LinkPlan, LinkSample } from './plan.ts';

const [host, port, text] = process.argv.slice(2) as [string, string, string];
const plan = JSON.parse(text) as LinkPlan;
const block = Buffer.alloc(65_536);
const message = Buffer.alloc(64);
const pingEveryMs = 20;
const fewestPings = 5;
const unmeasuredFirsts = 3;
/** Connections to the first byte take longer beside bulk: fewer have to do then. */
const firstsMs = 4000;
const fewestFirsts = 5;

/** Ends the measurement with a reason. */
let fail: (reason: Error) => void;
const failed = new Promise<never>((_, reject) => {
  fail = reject;
});

/** A connection for one purpose (link-service.ts). */
function open(kind: string): Socket {
  const socket = connect({ host, port: Number(port), noDelay: true });
  socket.on('error', fail);
  socket.on('end', () => fail(new Error(`a connection (${kind}) was ended by the other side`)));
  socket.write(kind);
  return socket;
}

/** Starts one stream; returns the bytes that its reader has had so far. */
function bulk(way: 'up' | 'down'): () => number {
  const socket = open(way === 'up' ? 'u' : 'd');
  let arrived = 0;
  if (way === 'down') {
    socket.on('data', (chunk) => {
      arrived += chunk.length;
    });
    return () => arrived;
  }
  let reports = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    reports = Buffer.concat([reports, chunk]);
    const whole = reports.length - (reports.length % 8);
    if (whole > 0) arrived = Number(reports.readBigUInt64BE(whole - 8));
    reports = reports.subarray(whole);
  });
  const pour = (): void => {
    while (socket.write(block));
  };
  socket.on('drain', pour);
  pour();
  return () => arrived;
}

/** The median of round trips of 64 bytes on one connection. */
async function pings(settleMs: number, measureMs: number): Promise<number> {
  const socket = open('e');
  const times: number[] = [];
  let [waited, answered] = [0, (): void => {}];
  socket.on('data', (chunk) => {
    waited -= chunk.length;
    if (waited === 0) answered();
  });
  const startedAt = performance.now();
  const endMs = startedAt + settleMs + measureMs;
  for (let at = startedAt; at < endMs || times.length < fewestPings; at = performance.now()) {
    await new Promise<void>((resolve) => {
      answered = resolve;
      waited = message.length;
      socket.write(message);
    });
    if (at >= startedAt + settleMs) times.push(performance.now() - at);
    await pause(pingEveryMs);
  }
  socket.destroy();
  return median(times);
}

/** The median time from connect to the first byte of an answer, one connection after the other. */
async function firsts(count: number): Promise<number> {
  const times: number[] = [];
  const deadline = performance.now() + firstsMs;
  while (times.length < count && (times.length < unmeasuredFirsts + fewestFirsts || performance.now() < deadline)) {
    const startedAt = performance.now();
    const socket = open('h');
    await new Promise((resolve) => {
      socket.once('data', resolve);
    });
    times.push(performance.now() - startedAt);
    socket.destroy();
  }
  return median(times.slice(unmeasuredFirsts));
}

async function measure({ streams, way, warmMs, settleMs, measureMs, ...wanted }: LinkPlan): Promise<LinkSample> {
  const counters = Array.from({ length: streams }, () => bulk(way));
  const arrived = (): number => counters.reduce((sum, counter) => sum + counter(), 0);
  await pause(warmMs);
  const [from, startedAt] = [arrived(), performance.now()];
  const ping = wanted.ping ? await pings(settleMs, measureMs) : undefined;
  if (ping === undefined && streams > 0) await pause(measureMs);
  const megabits = ((arrived() - from) * 8) / 1e3 / (performance.now() - startedAt);
  return {
    ...(streams > 0 && { megabits }),
    ...(ping !== undefined && { ping }),
    ...(wanted.firsts > 0 && { first: await firsts(unmeasuredFirsts + wanted.firsts) }),
  };
}

try {
  const sample = await Promise.race([measure(plan), failed]);
  process.stdout.write(JSON.stringify(sample), () => process.exit());
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`, () => process.exit(1));
}

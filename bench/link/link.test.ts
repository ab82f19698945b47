import { spawnSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect } from '@jest/globals';
import { scenario } from '../../test/support/scenario.ts';
import { Child, killAll, run } from '../process/child.ts';
import { type Link, noLinks, openLink } from './link.ts';

const needs = [{ name: 'root with network namespaces and /dev/net/tun', here: () => noLinks() === undefined }];
const quiet = { delayMs: 5, lossPercent: 0, megabitsPerSecond: 1000, seed: 1 };
const windows = 20;
const window = 20;
const sent = windows * window;

/** Sends back every datagram. */
const far = `
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', (bytes, { port, address }) => socket.send(bytes, port, address));
  socket.bind(4000, () => console.log('bound'));`;
/** Sends numbered datagrams, some at a time, and says which came back, and after how many milliseconds. */
const near = `
  const socket = require('node:dgram').createSocket('udp4');
  const back = [];
  const send = () => {
    for (let left = ${window}; left > 0; left--) {
      const bytes = Buffer.alloc(500);
      bytes.writeUInt32BE(sent++, 0);
      bytes.writeBigUInt64BE(process.hrtime.bigint(), 4);
      socket.send(bytes, 4000, '10.77.0.2');
    }
  };
  let sent = 0;
  socket.on('message', (bytes) => {
    back.push([bytes.readUInt32BE(0), Number(process.hrtime.bigint() - bytes.readBigUInt64BE(4)) / 1e6]);
    if (back.length < sent) return;
    if (sent < ${sent}) return send();
    console.log(JSON.stringify(back));
    socket.close();
  });
  send();`;
/** Sends as many to nobody. */
const pour = `
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('error', () => {});
  let sent = 0;
  const next = () => (sent++ < ${sent} ? socket.send(Buffer.alloc(500), 4000, '10.77.0.2', next) : socket.close());
  next();`;

async function echoed(link: Link): Promise<[number, number][]> {
  const echo = new Child([...link.far.prefix, process.execPath, '-e', far]);
  await new Promise((resolve) => {
    echo.process.stdout!.once('data', resolve);
  });
  const { stdout } = await run([...link.near.prefix, process.execPath, '-e', near], { timeoutMs: 60_000 });
  await echo.stop();
  return JSON.parse(stdout) as [number, number][];
}

/** How many of the packets that are sent to nobody are lost. */
async function lost(seed: number): Promise<number> {
  const link = await openLink({ ...quiet, lossPercent: 20, seed });
  await run([...link.near.prefix, process.execPath, '-e', pour], { timeoutMs: 60_000 });
  for (;;) {
    const { up } = await link.counts();
    if (up.packets + up.lost === sent) {
      await link.close();
      return up.lost;
    }
    await pause(20);
  }
}

describe('an emulated link', () => {
  afterEach(killAll);

  scenario('delivers every packet in order, none before its delay', needs, async () => {
    const link = await openLink(quiet);
    const back = await echoed(link);
    expect(back.map(([number]) => number)).toEqual(Array.from({ length: sent }, (_, at) => at));
    expect(Math.min(...back.map(([, ms]) => ms))).toBeGreaterThanOrEqual(2 * quiet.delayMs);
    const delivered = { packets: sent, bytes: sent * 528, lost: 0, overflowed: 0, unreachable: 0 };
    expect(await link.counts()).toEqual({ up: delivered, down: delivered });
    await link.close();
  });
  scenario('loses what its seed says, as many in every run', needs, async () => {
    const first = await lost(5);
    expect(first).toBeGreaterThan(sent * 0.12); // 20% within four standard deviations
    expect(first).toBeLessThan(sent * 0.28);
    expect(await lost(5)).toBe(first);
  });
  scenario('sends by the congestion control that it is told', needs, async () => {
    const link = await openLink({ ...quiet, congestion: 'reno' });
    const { stdout } = await run([...link.near.prefix, 'ip', 'route', 'show'], { timeoutMs: 10_000 });
    expect(stdout).toMatch(/10\.77\.0\.0\/24 dev wan0 .*congctl reno/);
    await link.close();
  });
  scenario('is gone with the benchmark, however that ends, and with it what ran on its hosts', needs, async () => {
    const module = JSON.stringify(new URL('link.ts', import.meta.url).href);
    const children = JSON.stringify(new URL('../process/child.ts', import.meta.url).href);
    const program = `
      const { openLink } = await import(${module});
      const { Child } = await import(${children});
      const link = await openLink(${JSON.stringify(quiet)});
      const child = new Child([...link.far.prefix, 'sleep', '1000']);
      console.log(JSON.stringify([child.pid, link.near.prefix.at(-1), link.far.prefix.at(-1)]));`;
    const bench = new Child([process.execPath, '--input-type=module', '-e', program]);
    const [pid, ...namespaces] = JSON.parse(
      await new Promise<string>((resolve) => {
        bench.process.stdout!.once('data', (chunk: Buffer) => resolve(chunk.toString()));
      }),
    ) as [number, string, string];
    for (const prefix of namespaces) expect(spawnSync('nsenter', [prefix, 'true']).status).toBe(0);
    bench.process.kill('SIGKILL');
    await bench.exit;
    const gone = (): boolean =>
      namespaces.every((prefix) => spawnSync('nsenter', [prefix, 'true']).status !== 0) &&
      spawnSync('kill', ['-0', String(pid)]).status !== 0;
    while (!gone()) await pause(20);
  });
});

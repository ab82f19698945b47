import { spawnSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect } from '@jest/globals';
import { scenario } from '../../test/support/scenario.ts';
import { Child, killAll, run } from '../process/child.ts';
import { type Link, noLinks, openLink } from './link.ts';

const needs = [{ name: 'root with network namespaces and /dev/net/tun', here: () => noLinks() === undefined }];
const quiet = { delayMs: 5, lossPercent: 0, megabitsPerSecond: 1000, seed: 1 };
const sent = 400;

/** Sends numbered datagrams from near to far, and says which arrived and how much later each did at least, ms. */
const far = `
  const socket = require('node:dgram').createSocket('udp4');
  const seen = [];
  socket.on('message', (bytes) => {
    if (bytes.length === 1) { console.log(JSON.stringify(seen)); socket.close(); return; }
    seen.push([bytes.readUInt32BE(0), Number(process.hrtime.bigint() - bytes.readBigUInt64BE(4)) / 1e6]);
  });
  socket.bind(4000, () => console.log('bound'));`;
const near = `
  const socket = require('node:dgram').createSocket('udp4');
  const say = (bytes) => new Promise((resolve) => socket.send(bytes, 4000, '10.77.0.2', resolve));
  (async () => {
    for (let number = 0; number < ${sent}; number++) {
      const bytes = Buffer.alloc(500);
      bytes.writeUInt32BE(number, 0);
      bytes.writeBigUInt64BE(process.hrtime.bigint(), 4);
      await say(bytes);
      if (number % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    for (let left = 30; left > 0; left--) { await say(Buffer.alloc(1)); await new Promise((r) => setTimeout(r, 50)); }
  })().then(() => socket.close());`;

async function cross(link: Link): Promise<[number, number][]> {
  const receiver = new Child([...link.far.prefix, process.execPath, '-e', far]);
  let output = '';
  const bound = new Promise<void>((resolve) => {
    receiver.process.stdout!.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      resolve();
    });
  });
  await bound;
  await Promise.all([
    run([...link.near.prefix, process.execPath, '-e', near], { timeoutMs: 30_000 }),
    new Promise((resolve) => {
      receiver.process.once('close', resolve);
    }),
  ]);
  return JSON.parse(output.split('\n')[1]!) as [number, number][];
}

describe('an emulated link', () => {
  afterEach(killAll);

  scenario('delivers every packet in order, none before its delay', needs, async () => {
    const link = await openLink(quiet);
    const arrived = await cross(link);
    expect(arrived.map(([number]) => number)).toEqual(Array.from({ length: sent }, (_, at) => at));
    expect(Math.min(...arrived.map(([, ms]) => ms))).toBeGreaterThanOrEqual(quiet.delayMs);
    const { up } = await link.counts();
    expect(up).toMatchObject({ lost: 0, overflowed: 0, unreachable: 0 });
    expect(up.packets).toBeGreaterThan(sent);
    await link.close();
  });
  scenario('loses what its seed says, the same in every run', needs, async () => {
    const runs: number[][] = [];
    for (const seed of [5, 5, 6]) {
      const link = await openLink({ ...quiet, lossPercent: 20, seed });
      runs.push((await cross(link)).map(([number]) => number));
      await link.close();
    }
    const lost = sent - runs[0]!.length;
    expect(lost).toBeGreaterThan(sent * 0.12); // 20% within four standard deviations
    expect(lost).toBeLessThan(sent * 0.28);
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).not.toEqual(runs[0]);
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

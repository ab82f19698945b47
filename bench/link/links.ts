/**
 * The tests across emulated links: Adit, a connection without a tunnel, and ghostunnel, which has a TLS connection for
 * each of its clients.
 * Rule: each pair has a link of its own, so that all pairs of a test run at the same time; what a link carries costs a
 * few percent of a core. A round has fresh links, pairs and services.
 */
import { join } from 'node:path';
import type { Sample } from '../load/load.ts';
import type { LinkTestName } from '../options.ts';
import { type Pair, startPair } from '../pair.ts';
import type { Peer } from '../peers/peer.ts';
import { Child, run, tail } from '../process/child.ts';
import { freePorts, untilListening } from '../process/port.ts';
import { rows, type LinkKind } from '../report/row.ts';
import { type Bench, type Test, watched } from '../test.ts';
import { type Link, type LinkOptions, noLinks, openLink } from './link.ts';
import type { LinkPlan, LinkSample } from './plan.ts';
import { setTimeout as pause } from 'node:timers/promises';

const client = join(import.meta.dirname, 'link-client.ts');
const serviceProgram = join(import.meta.dirname, 'link-service.ts');
const timeoutMs = 90_000;
/** After bulk, until nothing of it is on its way. */
const drainMs = 1000;
const pairs: readonly string[] = ['direct', 'ghostunnel'];

/** `four`: of four streams, how long they run before they count, and then. */
type Bad = Omit<LinkOptions, 'seed'> & { readonly four?: Pick<LinkPlan, 'warmMs' | 'measureMs'> };

const lossy = { delayMs: 30, megabitsPerSecond: 100 };
const clean = { delayMs: 20, megabitsPerSecond: 50, lossPercent: 0 };
const usual = { warmMs: 2000, settleMs: 1000, measureMs: 4000 };
const short = { warmMs: 500, settleMs: 200, measureMs: 1000 };

const links: Readonly<Record<LinkTestName, Bad>> = {
  lossy: { ...lossy, lossPercent: 0.5, congestion: 'bbr' },
  // Cubic starts fast and falls with each loss: what it has after some seconds is what it keeps.
  'lossy-cubic': { ...lossy, lossPercent: 0.1, congestion: 'cubic', four: { warmMs: 4000, measureMs: 10_000 } },
  'clean-cubic': { ...clean, congestion: 'cubic' },
  'clean-bbr': { ...clean, congestion: 'bbr' },
};

/** One test for each link. */
export const linkTestList: readonly Test[] = (Object.keys(links) as LinkTestName[]).map((test) => ({
  test,
  suits: ({ name, kind }) => kind === 'adit' || pairs.includes(name),
  unavailable: noLinks,
  together: true,
  mostRounds: 3,
  measure: (peer, bench) => measure(test, peer, bench),
}));

async function measure(test: LinkTestName, peer: Peer, bench: Bench): Promise<Sample> {
  const link = await openLink({ ...links[test], seed: 2 * bench.round + 1 });
  try {
    const service = await startService(link, join(bench.folder, `service-${test}-${peer.name}.log`));
    try {
      const { pki, folder } = bench;
      const places = { egress: link.far, ingress: link.near };
      const pair = await startPair(peer, { pki, folder, servicePort: service.port, places });
      try {
        return { trouble: [], values: await watched(pair, steps(test, bench, { link, pair })) };
      } finally {
        await pair.stop();
      }
    } finally {
      await service.child.stop();
    }
  } finally {
    await link.close();
  }
}

async function startService({ far }: Link, logFile: string): Promise<{ readonly port: number; readonly child: Child }> {
  const [port] = (await freePorts(1)) as [number];
  const command = [...far.prefix, process.execPath, serviceProgram, String(port)];
  const child = new Child(command, { name: 'the service of a link', logFile });
  try {
    await untilListening(port, child);
    return { port, child };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

interface Site {
  readonly link: Link;
  readonly pair: Pair;
}

/** First without bulk, then beside one stream each way, then four streams. */
async function steps(test: LinkTestName, { options }: Bench, site: Site): Promise<Sample['values']> {
  const has = (kind: LinkKind): boolean => Object.hasOwn(rows, `${test}-${kind}`);
  const values: Record<string, number> = {};
  const put = (kind: LinkKind, value: number | undefined): void => {
    if (value !== undefined && has(kind)) values[`${test}-${kind}`] = value;
  };
  const firsts = has('first') ? 20 : 0;
  const times = options.warmUp ? { ...usual, firsts } : { ...short, firsts: firsts / 4 };
  const four: LinkPlan = { ...times, ...(options.warmUp && links[test].four), streams: 4, way: 'up', ping: false };
  const idle: LinkPlan = { ...times, streams: 0, way: 'up', warmMs: 0, measureMs: times.measureMs / 2, ping: true };
  const { ping, first } = await ask(site, idle);
  put('ping', ping);
  put('first', first);
  for (const way of ['up', 'down'] as const) {
    const sample = await ask(site, { ...times, streams: 1, way, ping: true });
    put(`${way}1`, sample.megabits);
    put(`ping-${way}`, sample.ping);
    put(`first-${way}`, sample.first);
    if (has(`${way}4`)) put(`${way}4`, (await ask(site, { ...four, way })).megabits);
  }
  return values;
}

async function ask({ link, pair }: Site, plan: LinkPlan): Promise<LinkSample> {
  const command = [...link.near.prefix, process.execPath, client, pair.host, String(pair.port), JSON.stringify(plan)];
  const { status, stdout, stderr } = await run(command, { name: 'the client of a link', timeoutMs });
  if (status !== 0) throw new Error(`link: ${tail(stderr)}`);
  if (plan.streams > 0) await pause(drainMs);
  return JSON.parse(stdout) as LinkSample;
}

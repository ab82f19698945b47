/**
 * How long a user waits for a program: an egress until it listens, an `adit connect` through a running ingress until
 * the first byte of the answer, and Node itself, which is the least that either can take.
 * Rule: the clock starts before the process does and stops at the first byte that says so; each value is the median of
 * a few starts, after one that is not measured and has warmed the caches of the system.
 */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Sample } from '../load/load.ts';
import { startPair } from '../pair.ts';
import { adit, egressArguments, programOf } from '../peers/adit.ts';
import type { Peer } from '../peers/peer.ts';
import { Child } from '../process/child.ts';
import { freePorts } from '../process/port.ts';
import { median } from '../report/statistics.ts';
import { startHttp } from '../service.ts';
import { absent, type Bench, type Test, watched } from '../test.ts';

const starts = 5;
const timeoutMs = 30_000;
const request = 'GET / HTTP/1.0\r\n\r\n';

export const start: Test = {
  test: 'start',
  suits: ({ kind }) => kind === 'adit',
  unavailable: () => absent(['nginx']),
  measure: async (peer, bench): Promise<Sample> => ({
    trouble: [],
    values: {
      'start-egress': await egressStart(peer, bench),
      'start-connect': await connectStart(peer, bench),
      'start-node': await repeated(() => secondsUntil([process.execPath, '-e', '"started"', '-p'], /started/)),
    },
  }),
};

async function egressStart({ build }: Peer, { pki, folder }: Bench): Promise<number> {
  const site = mkdtempSync(join(folder, 'start-'));
  return repeated(async () => {
    const [egressPort, ingressPort] = (await freePorts(2)) as [number, number];
    const ports = { egressHost: '127.0.0.1', egressPort, ingressPort, servicePort: egressPort };
    const args = egressArguments(build!, { folder: site, pki, connections: 0, ...ports });
    return secondsUntil([process.execPath, programOf(build!, 'cli'), 'egress', ...args], /"event":"listening"/);
  });
}

async function connectStart({ build }: Peer, { pki, folder }: Bench): Promise<number> {
  const site = mkdtempSync(join(folder, 'start-'));
  const controlSocket = join(site, 'control');
  const service = await startHttp(site);
  try {
    const peer = adit({ ...build!, ingressFlags: [...(build!.ingressFlags ?? []), '--control-socket', controlSocket] });
    const pair = await startPair(peer, { pki, folder, servicePort: service.port });
    const args = ['connect', '--control-socket', controlSocket, `127.0.0.1:${service.port}`];
    try {
      const command = [process.execPath, programOf(build!, 'cli'), ...args];
      return await watched(
        pair,
        repeated(() => secondsUntil(command, /^HTTP/, request)),
      );
    } finally {
      await pair.stop();
    }
  } finally {
    await service.stop();
  }
}

async function repeated(once: () => Promise<number>): Promise<number> {
  await once();
  const times: number[] = [];
  for (let left = starts; left > 0; left--) times.push(await once());
  return median(times);
}

/** Seconds from the start of a command until its output has a match; then it is ended. */
export async function secondsUntil(command: readonly string[], pattern: RegExp, input?: string): Promise<number> {
  const startedAt = performance.now();
  const child = new Child(command);
  if (input !== undefined) child.process.stdin!.on('error', () => {}).write(input); // its end is reported below
  let output = '';
  const seen = new Promise<number>((resolve) => {
    for (const stream of [child.process.stdout!, child.process.stderr!])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString('latin1');
        if (pattern.test(output)) resolve((performance.now() - startedAt) / 1000);
      });
  });
  const timer = setTimeout(() => child.kill(), timeoutMs);
  const ended = new Promise<never>((_, reject) => {
    child.process.once('close', () =>
      reject(new Error(`${child.complaint()} before it said ${pattern.source}: ${output.trim().slice(-300)}`)),
    );
  });
  try {
    return await Promise.race([seen, ended]);
  } finally {
    clearTimeout(timer);
    ended.catch(() => {}); // it was ended on purpose
    await child.stop();
  }
}

/**
 * What stays of connections that are over: the memory of the pair after many short ones and a minute of silence, beside
 * what it was when it had carried none.
 * Rule: every connection carries a request and its answer, 64 are open at a time, and each is over before its successor
 * begins; both readings wait until memory is at rest, and are of resident memory, which does not depend
 * on who else runs.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { run, tail } from '../process/child.ts';
import type { Load } from './load.ts';
import { memoryAtRest } from './memory-at-rest.ts';

const client = join(import.meta.dirname, 'churn-client.ts');
const timeoutMs = 180_000;

export const churn: Load = {
  test: 'churn',
  service: 'http',
  needs: ['nginx'],
  of: 'adit',
  mostRounds: 1,
  async measure(pair, { shortConnections, quietSeconds }) {
    const before = await memoryAtRest(pair);
    const { status, stderr } = await run([process.execPath, client, String(pair.port), String(shortConnections)], {
      name: 'the client of "churn"',
      timeoutMs,
    });
    if (status !== 0) throw new Error(`churn: ${tail(stderr)}`);
    await pause(quietSeconds * 1000);
    const after = await memoryAtRest(pair);
    return {
      trouble: [],
      values: {
        'churn-before': before.resident / 2 ** 20,
        'churn-after': after.resident / 2 ** 20,
        churn: after.resident / before.resident,
      },
    };
  },
};

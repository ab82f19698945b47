/**
 * 64 connections of wrk against the small answer of the HTTP service, kept alive or new for every request.
 * Rule: errors that wrk counts are never left out.
 */
import type { Pair } from '../pair.ts';
import { run } from '../process/child.ts';
import { requireProgram } from '../process/program.ts';
import type { Load, LoadOptions } from './load.ts';
import { type HttpRun, parseWrk } from './wrk-output.ts';

const connections = 64;
const warmUpSeconds = 1;

/** Requests on connections that stay. */
export const http: Load = {
  test: 'http',
  service: 'http',
  needs: ['wrk', 'nginx'],
  async measure(pair, options) {
    const { requestsPerSecond, p50Ms, p99Ms, processorMicroseconds, trouble } = await load(pair, [], options);
    return {
      trouble,
      values: {
        http: requestsPerSecond,
        'http-p50': p50Ms,
        'http-p99': p99Ms,
        ...(pair.tunnelled && { 'http-cpu': processorMicroseconds }),
      },
    };
  },
};

/** A new connection for every request. */
export const rate: Load = {
  test: 'rate',
  service: 'http',
  needs: ['wrk', 'nginx'],
  async measure(pair, options) {
    const { requestsPerSecond, processorMicroseconds, trouble } = await load(
      pair,
      ['-H', 'Connection: close'],
      options,
    );
    return {
      trouble,
      values: { rate: requestsPerSecond, ...(pair.tunnelled && { 'rate-cpu': processorMicroseconds }) },
    };
  },
};

async function load(
  pair: Pair,
  args: readonly string[],
  { seconds, warmUp }: LoadOptions,
): Promise<HttpRun & { readonly processorMicroseconds: number }> {
  if (warmUp) await wrk(pair, args, warmUpSeconds);
  const before = pair.processorSeconds();
  const result = await wrk(pair, args, seconds);
  return { ...result, processorMicroseconds: ((pair.processorSeconds() - before) / result.requests) * 1e6 };
}

async function wrk(pair: Pair, args: readonly string[], seconds: number): Promise<HttpRun> {
  const { stdout, stderr } = await run(
    [
      requireProgram('wrk'),
      '-t1',
      `-c${connections}`,
      `-d${seconds}s`,
      '--latency',
      ...args,
      `http://127.0.0.1:${pair.port}/`,
    ],
    { name: 'wrk', timeoutMs: (seconds + 20) * 1000 },
  );
  return parseWrk(stdout + stderr);
}

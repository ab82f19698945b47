/**
 * Ports for programs that want to be told one.
 * Rule: a port comes from the kernel; whether somebody listens on it is read from /proc, in the network namespace of
 * the program, without a connection that the program would have to serve.
 */
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Child } from './child.ts';

const listenState = '0A';
const listenPatienceMs = 15_000;

/** Distinct ports of 127.0.0.1 that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  try {
    return await Promise.all(
      servers.map(
        (server) =>
          new Promise<number>((resolve, reject) => {
            server.once('error', reject).listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
          }),
      ),
    );
  } finally {
    await Promise.all(
      servers.map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
          }),
      ),
    );
  }
}

/** The listening ports in a table like /proc/net/tcp. */
export function listeningPorts(table: string): Set<number> {
  return new Set(
    table
      .split('\n')
      .slice(1)
      .flatMap((line) => {
        const [, local, , state] = line.trim().split(/\s+/);
        return state === listenState && local !== undefined
          ? [Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16)]
          : [];
      }),
  );
}

/** Resolves when a port is listened on; fails when the process that should do it ends or takes 15 s. */
export async function untilListening(port: number, child: Child): Promise<void> {
  const deadline = performance.now() + listenPatienceMs;
  for (;;) {
    if (!child.running) throw new Error(child.complaint());
    if (listeningPorts(tableOf(child)).has(port)) return;
    if (performance.now() > deadline)
      throw new Error(`${child.name} does not listen on ${port} after ${listenPatienceMs / 1000} s`);
    await pause(20);
  }
}

/** The table of the namespace that the process is in; empty if it has just ended. */
function tableOf({ pid }: Child): string {
  try {
    return readFileSync(`/proc/${pid}/net/tcp`, 'latin1');
  } catch (error) {
    if (['ENOENT', 'EINVAL', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}

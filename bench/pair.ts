/**
 * A running pair of tunnel halves between a client and a service, and what it costs.
 * Rule: it is ready when both halves listen; ports that somebody else took in the meantime mean another try with new
 * ones.
 */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer } from './peers/peer.ts';
import type { Pki } from './pki.ts';
import { type Memory, memoryOf, processorSeconds } from './process/accounting.ts';
import { Child } from './process/child.ts';
import { freePorts, untilListening } from './process/port.ts';

const tries = 3;

export class Pair {
  /** Where clients connect on 127.0.0.1. */
  readonly port: number;
  /** Empty when there is no tunnel between client and service. */
  readonly #halves: readonly Child[];

  constructor(port: number, halves: readonly Child[]) {
    this.port = port;
    this.#halves = halves;
  }

  /** Whether there are processes of its own whose cost can be read. */
  get tunnelled(): boolean {
    return this.#halves.length > 0;
  }
  /** User and system seconds of both halves so far. */
  processorSeconds(): number {
    return processorSeconds(this.#halves.map(({ pid }) => pid));
  }
  /** Proportional set size of both halves. */
  memory(): Memory {
    return memoryOf(this.#halves.map(({ pid }) => pid));
  }

  /** Fails when a half is gone. */
  check(): void {
    const gone = this.#halves.find(({ running }) => !running);
    if (gone !== undefined) throw new Error(gone.complaint());
  }

  async stop(): Promise<void> {
    await Promise.all(this.#halves.map((half) => half.stop()));
  }
}

export interface PairOptions {
  readonly pki: Pki;
  readonly servicePort: number;
  /** A new folder is made in it. */ readonly folder: string;
}

/** Starts both halves of a peer. */
export async function startPair(peer: Peer, options: PairOptions): Promise<Pair> {
  for (let left = tries - 1; ; left--) {
    try {
      return await tryStart(peer, options);
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}

async function tryStart(peer: Peer, { pki, servicePort, folder }: PairOptions): Promise<Pair> {
  const [ingressPort, egressPort] = (await freePorts(2)) as [number, number];
  const site = mkdtempSync(join(folder, `${peer.name}-`));
  const commands = peer.commands({ folder: site, pki, ingressPort, egressPort, servicePort });
  if (commands === undefined) return new Pair(servicePort, []);
  const halves = (['egress', 'ingress'] as const).map(
    (half) => new Child(commands[half], { name: `${peer.name} ${half}`, logFile: join(site, `${half}.log`) }),
  );
  try {
    await untilListening(egressPort, halves[0]!);
    await untilListening(ingressPort, halves[1]!);
    return new Pair(ingressPort, halves);
  } catch (error) {
    await Promise.all(halves.map((half) => half.stop()));
    throw error;
  }
}

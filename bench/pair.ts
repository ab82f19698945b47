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
const usualConnections = 4000;
/** What a program has open beside connections. */
const ownDescriptors = 100;
const halfNames = ['egress', 'ingress'] as const;
export type Half = (typeof halfNames)[number];

/** Where a half runs: what stands before its command, and its address for the other one. */
export interface Place {
  readonly prefix: readonly string[];
  readonly address: string;
}
const here: Place = { prefix: [], address: '127.0.0.1' };

export class Pair {
  /** Where clients connect, which is 127.0.0.1 unless there is no tunnel to a service elsewhere. */
  readonly host: string;
  readonly port: number;
  /** Empty when there is no tunnel between client and service. */
  readonly #halves: readonly Child[];

  /** `halves`: the egress, then the ingress. */
  constructor(port: number, halves: readonly Child[], host = here.address) {
    this.host = host;
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
  /** Memory of both halves, or of one. */
  memory(half?: Half): Memory {
    return memoryOf(this.#halves.filter((_, at) => half === undefined || halfNames[at] === half).map(({ pid }) => pid));
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
  /** A new folder is made in it. */
  readonly folder: string;
  /** The most that are open at once. */
  readonly connections?: number;
  /** Where each half runs, the service beside the egress; default: here. */
  readonly places?: Readonly<Record<Half, Place>>;
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

async function tryStart(
  peer: Peer,
  { pki, servicePort, folder, connections = usualConnections, places = { egress: here, ingress: here } }: PairOptions,
): Promise<Pair> {
  const [ingressPort, egressPort] = (await freePorts(2)) as [number, number];
  const site = mkdtempSync(join(folder, `${peer.name}-`));
  const egressHost = places.egress.address;
  const ports = { ingressPort, egressHost, egressPort, servicePort };
  const commands = peer.commands({ folder: site, pki, connections, ...ports });
  if (commands === undefined) return new Pair(servicePort, [], egressHost);
  const halves = halfNames.map((half) => {
    const command = [...places[half].prefix, ...roomFor(connections), ...commands[half]];
    return new Child(command, { name: `${peer.name} ${half}`, logFile: join(site, `${half}.log`) });
  });
  try {
    await untilListening(egressPort, halves[0]!);
    await untilListening(ingressPort, halves[1]!);
    return new Pair(ingressPort, halves);
  } catch (error) {
    await Promise.all(halves.map((half) => half.stop()));
    throw error;
  }
}

/**
 * A connection takes two descriptors in each half. For many, the soft limit is raised as far as that; the hard limit
 * has to permit it.
 */
function roomFor(connections: number): string[] {
  return connections > usualConnections ? ['prlimit', `--nofile=${2 * connections + ownDescriptors}:`] : [];
}

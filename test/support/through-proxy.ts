/**
 * A session whose carriers go through a proxy, over a network that can be cut: ingress, chaos, proxy, egress.
 * Rule: the ingress knows the port of the chaos as that of the proxy, so that a cut breaks its connection to the proxy.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { type Egress, type Ingress, startEgress, startIngress } from './adit.ts';
import { type Certificates, certificates } from './certificates.ts';
import { type Chaos, chaos } from './chaos.ts';
import { survivesThreeKills } from './kills.ts';
import { temporaryFolder } from './scope.ts';
import { echo, hashing } from './services.ts';

export interface Proxied {
  readonly egress: Egress;
  readonly ingress: Ingress;
  readonly network: Chaos;
}

export interface ProxiedOptions {
  /** Of the real proxy. */
  readonly proxyPort: number;
  /** What tells the ingress about a proxy on this port. */
  readonly tell: (port: number) => {
    readonly flags?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  };
  /** How the egress on this port is named; default 127.0.0.1:PORT. */
  readonly egressAt?: (port: number) => string;
  readonly certificates?: Certificates;
}

const megabytes = 16;

/** A file as --proxy-file wants it. */
export function proxyFile(url: string): string {
  const path = join(temporaryFolder(), 'proxy');
  writeFileSync(path, `${url}\n`, { mode: 0o600 });
  return path;
}

/** Starts everything; the forwards are `echo` and `hashes`. The ingress listens and need not be connected. */
export async function throughProxy({
  proxyPort,
  tell,
  egressAt,
  certificates: files = certificates(),
}: ProxiedOptions): Promise<Proxied> {
  const [echoes, hashes] = [await echo(), await hashing()];
  const egress = await startEgress({ certificates: files });
  const network = await chaos(proxyPort);
  const { flags = [], env = {} } = tell(network.port);
  const ingress = await startIngress({
    certificates: files,
    egressPort: egress.port,
    to: { echo: echoes.at, hashes: hashes.at },
    flags,
    process: { env },
    ...(egressAt && { egress: egressAt(egress.port) }),
  });
  return { egress, ingress, network };
}

/** An idle stream, and one that moves 16 MiB, live through three deaths of the connection to the proxy. */
export async function survivesKills({ ingress, network }: Proxied): Promise<void> {
  await survivesThreeKills({ ingress, network }, { megabytes, hashWithinMs: 40_000 });
  expect(network.did.bytes).toBeGreaterThan(megabytes * 2 ** 20);
}

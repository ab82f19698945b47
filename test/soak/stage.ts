/**
 * What a soak runs on: services, an egress, and two ingresses, one by TLS over a network that is cut again and again,
 * one by WebSocket. All are real processes.
 * Rule: the name server that never answers needs root and mount namespaces; without them it is left out and said.
 */
import { join } from 'node:path';
import { type AditProcess, connectIngress, policyOf, startEgress } from '../support/adit.ts';
import { type Certificates, certificates } from '../support/certificates.ts';
import { type Chaos, chaos } from '../support/chaos.ts';
import { Child } from '../support/child.ts';
import { ownResolver, startNameServer } from '../support/dns.ts';
import type { AttackOptions } from './attack.ts';
import type { HonestOptions, Ports } from './honest.ts';
import { memberKinds } from './members.ts';

export interface Stage {
  /** The processes whose memory and descriptors count. */
  readonly processes: Readonly<Record<string, AditProcess>>;
  readonly service: Child;
  readonly network: Chaos;
  readonly doors: HonestOptions['doors'];
  readonly connect: NonNullable<HonestOptions['connect']>;
  readonly attack: AttackOptions;
}

/** A program of the soak; it reports when something is said to it. */
export function program(name: string, options?: unknown): Child {
  const file = join(import.meta.dirname, `${name}.ts`);
  const args = [file, ...(options === undefined ? [] : [JSON.stringify(options)])];
  return new Child(process.execPath, args, { name, listens: true });
}

export async function openStage(): Promise<Stage> {
  const files = certificates();
  const service = program('service');
  const [line] = await service.line(/^\{.*\}$/);
  const services = JSON.parse(line) as Ports & { readonly deaf: number };
  const silentNames = ownResolver.here();
  const egress = await startEgress({
    certificates: files,
    policy: policyOf({ identities: ['*'], allow: ['127.0.0.1:*', '*.silent.example:80'] }),
    // what attackers leave behind is gone before memory is looked at
    flags: ['--resume-window', '30s'],
    ...(silentNames && { process: await silentResolver() }),
  });
  const network = await chaos(egress.port, { killAfterMs: [3_000, 8_000], deaths: ['reset', 'end'] });
  const to = Object.fromEntries(
    (['echo', 'hashes', 'pours', 'resets'] as const).map((name) => [name, `127.0.0.1:${services[name]}`]),
  );
  const connecting = (client: string, port: number, at: string) =>
    connectIngress(egress, { certificates: files, egressPort: port, egress: at, to, client: files.client(client) });
  const tls = await connecting('alice', network.port, `127.0.0.1:${network.port}`);
  const webSocket = await connecting('bob', egress.port, `wss://127.0.0.1:${egress.port}`);
  const portsOf = ({ ports }: { readonly ports: Readonly<Record<string, number>> }) => ports as Ports;
  const { cert, key } = files.client('carol');
  return {
    processes: {
      egress: egress.process,
      'ingress by TLS': tls.ingress.process,
      'ingress by WebSocket': webSocket.ingress.process,
    },
    service,
    network,
    doors: { 'TLS, cut': portsOf(tls.ingress), WebSocket: portsOf(webSocket.ingress) },
    connect: { port: egress.port, ca: files.ca, cert, key, target: `127.0.0.1:${services.echo}` },
    attack: { port: egress.port, ca: files.ca, pairs: pairsOf(files), services, silentNames },
  };
}

/** A resolver whose server never answers, and that gives up sooner than by default. */
async function silentResolver() {
  const { prefix } = await startNameServer(() => 'silent');
  return { prefix, env: { RES_OPTIONS: 'timeout:2 attempts:1' } };
}

/** A certificate for each kind of attacker that has one. */
function pairsOf(files: Certificates): AttackOptions['pairs'] {
  return Object.fromEntries(
    memberKinds.map((kind, n) => {
      const { cert, key } = files.client(`mallory-${n}`);
      return [kind, { cert, key }];
    }),
  );
}

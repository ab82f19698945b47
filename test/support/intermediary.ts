/**
 * An egress behind somebody who ends TLS, and an ingress before them, over a network that can be cut: ingress, chaos, intermediary, egress.
 * Rule: the intermediary has a certificate of a CA that is not ours, and nothing of ours.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Egress, type Ingress, portOf, startEgress, startIngress } from './adit.ts';
import { type Certificates, type KeyPair, certificates } from './certificates.ts';
import { type Chaos, chaos } from './chaos.ts';
import { newCa, newServer } from './issuer.ts';

/** What an intermediary is given. */
export interface Front { readonly pair: KeyPair; /** Certificate and key in one file, as HAProxy wants it. */ readonly pem: string; /** `HOST:PORT` of `--listen-http`. */ readonly http: string }

export interface Behind { readonly egress: Egress; readonly ingress: Ingress; readonly network: Chaos; readonly certificates: Certificates; port(name: string): number }

export interface BehindOptions { readonly to: Readonly<Record<string, string>>; readonly egressFlags?: readonly string[]; readonly ingressFlags?: readonly string[]; /** The address that the intermediary sees. */ readonly from?: string; /** Starts the intermediary and says on which port of 127.0.0.1 it is. */ readonly start: (front: Front) => Promise<number> }

/** Starts everything; the ingress is connected. */
export async function behind({ to, egressFlags = [], ingressFlags = [], from, start }: BehindOptions): Promise<Behind> {
  const files = certificates();
  const authority = newCa('A public CA');
  const outerCa = files.write('public-ca', authority).cert;
  const pair = files.write('front', newServer(authority));
  const pem = join(files.folder, 'front.pem');
  writeFileSync(pem, pair.issued.certPem + pair.issued.keyPem, { mode: 0o600 });
  const egress = await startEgress({ certificates: files, flags: ['--listen-http', '127.0.0.1:0', ...egressFlags] });
  const http = portOf(await egress.process.event('listening', { http: true }));
  const network = await chaos(await start({ pair, pem, http: `127.0.0.1:${http}` }), from === undefined ? {} : { from });
  const ingress = await startIngress({ certificates: files, egressPort: network.port, egress: `wss://127.0.0.1:${network.port}`, to, flags: ['--outer-ca', outerCa, ...ingressFlags] });
  await ingress.process.event('connected');
  return { egress, ingress, network, certificates: files, port: (name) => { const port = ingress.ports[name]; if (port === undefined) throw new Error(`no forward is called ${name}`); return port; } };
}

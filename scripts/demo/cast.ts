/**
 * Who plays in the demo: a CA made by the real `adit`, services, an egress, ingresses, all as processes of their own.
 * Rule: ports come from the kernel and are read from the logs; whoever starts something knows it works when the promise
 * resolves.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child, within } from './child.ts';
import type { Downloaded, Downloading } from './download.ts';
import type { Ready } from './services.ts';

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const aditMain = here('../../packages/cli/dist/main.js');
/** Long enough for a busy machine. */
const downloadMs = 120_000;

/** A service that nobody may reach, and how many connections reached it. */
export interface Forbidden {
  readonly port: number;
  reached(): number;
  close(): void;
}
/** An ingress and its local ports, by destination. */
export interface Ingress {
  readonly process: Child;
  port(destination: string): number;
}
export interface Egress {
  readonly process: Child;
  readonly port: number;
}

/** Runs `adit` to its end; anything but 0 is an error that shows what it said. `@` in an argument is the folder. */
export async function adit(folder: string, ...args: readonly string[]): Promise<string> {
  const child = new Child(`adit ${args.slice(0, 2).join(' ')}`, [
    aditMain,
    ...args.map((arg) => arg.replace(/^@/, `${folder}/`)),
  ]);
  const { code } = await within(child.name, child.exit);
  if (code !== 0) throw new Error(`${child.name} ended with ${String(code)}\n${child.lastWords}`);
  return child.lines.join('\n');
}

/** The policy of the demo, as a person would write it. */
export function writePolicy(folder: string, { ports }: Ready): string {
  const text = [
    'version: 1',
    'services:',
    `  web:   tcp://127.0.0.1:${ports.web}`,
    `  shop:  tcp://127.0.0.1:${ports.shop}`,
    `  bytes: tcp://127.0.0.1:${ports.bytes}`,
    'rules:',
    '  - name: developers',
    '    identities: ["group:developers"]',
    '    allow: [web, shop, bytes]',
    '  - name: guests',
    '    identities: [mallory]',
    '    allow: [web]',
    'tests:',
    '  - { identity: "group:developers", destination: web, expect: allow }',
    '  - { identity: mallory, destination: bytes, expect: deny }',
    '',
  ].join('\n');
  writeFileSync(join(folder, 'policy.yaml'), text);
  return text;
}

/** The web site, the TLS service and the source of bytes; `sizes` are the requests to expect. */
export async function startServices(
  folder: string,
  sizes: readonly number[],
): Promise<{ readonly process: Child; readonly ready: Ready }> {
  const child = new Child(
    'the services',
    [here('services.ts'), join(folder, 'service/shop.crt'), join(folder, 'service/shop.key'), ...sizes.map(String)],
    { talks: true, stays: true },
  );
  return { process: child, ready: await child.message<Ready>('ports') };
}

export async function startEgress(folder: string): Promise<Egress> {
  const file = (name: string): string => join(folder, name);
  const child = new Child(
    'the egress',
    [
      aditMain,
      'egress',
      '--listen',
      '127.0.0.1:0',
      '--cert',
      file('edge.crt'),
      '--key',
      file('edge.key'),
      '--client-ca',
      file('ca.crt'),
      '--crl',
      file('ca/crl.pem'),
      '--policy',
      file('policy.yaml'),
      '--log-format',
      'json',
      '--drain-timeout',
      '2s',
    ],
    { stays: true },
  );
  return { process: child, port: portOf(await child.event('listening')) };
}

/** An ingress with a port for each destination; resolves when they listen, not when it is connected. */
export async function startIngress(
  folder: string,
  who: string,
  { egressPort, to }: { readonly egressPort: number; readonly to: readonly string[] },
): Promise<Ingress> {
  const file = (ending: string): string => join(folder, `${who}.${ending}`);
  const child = new Child(`the ingress of ${who}`, [
    aditMain,
    'ingress',
    '--egress',
    `127.0.0.1:${egressPort}`,
    '--cert',
    file('crt'),
    '--key',
    file('key'),
    '--ca',
    join(folder, 'ca.crt'),
    '--log-format',
    'json',
    '--drain-timeout',
    '2s',
    ...to.flatMap((destination) => ['-L', `0:${destination}`]),
  ]);
  const ports = new Map<string, number>();
  for (const [n, destination] of to.entries())
    ports.set(destination, portOf(await child.event('listening', {}, n + 1)));
  return { process: child, port: (destination) => ports.get(destination)! };
}

/** A listener that no rule allows. */
export async function startForbidden(): Promise<Forbidden> {
  let reached = 0;
  const server = net.createServer((socket) => {
    reached++;
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as net.AddressInfo).port, reached: () => reached, close: () => void server.close() };
}

/** Downloads that many bytes from a port, in a process of its own; calls `tell` with the progress. */
export async function download(port: number, size: number, tell: (bytes: number) => void): Promise<Downloaded> {
  const child = new Child('the download', [here('download.ts'), String(port), String(size)], { talks: true });
  const result = await child.until(
    'the result of the download',
    () => {
      const last = child.messages.at(-1) as Downloaded | Downloading | undefined;
      if (last === undefined) return undefined;
      if ('sha256' in last) return last;
      tell(last.soFar);
      return undefined;
    },
    downloadMs,
  );
  await child.exit;
  return result;
}

function portOf(line: { readonly [field: string]: unknown }): number {
  return Number(/:(\d+)$/.exec(String(line['address']))?.[1]);
}

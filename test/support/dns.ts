/**
 * A name server of the test's own, and a process prefix under which the system's resolver asks only that server.
 * Needs Linux, root and `unshare`: a private mount namespace carries another /etc/resolv.conf.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import type { Ability } from './scenario.ts';
import { atEnd, temporaryFolder } from './scope.ts';

/**
 * IPv4 addresses of a name, undefined for NXDOMAIN, or `silent` for no answer at all; `nth` counts the A queries for
 * that name from 1.
 */
export type Zone = (name: string, nth: number) => readonly string[] | 'silent' | undefined;
export interface ServiceRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}
/** SRV records of a name, or undefined for none; `nth` counts the SRV queries for that name from 1. */
export type Services = (name: string, nth: number) => readonly ServiceRecord[] | undefined;
export interface NameServer {
  readonly prefix: readonly string[];
  /** A queries for a name so far. */
  queries(name: string): number;
  /** SRV queries. */
  serviceQueries(name: string): number;
}

/** For `scenario`. */
export const ownResolver: Ability = { name: 'root with mount namespaces', here: mayReplaceResolver };

function mayReplaceResolver(): boolean {
  return (
    process.platform === 'linux' &&
    process.getuid?.() === 0 &&
    spawnSync('unshare', ['-m', '--propagation', 'private', 'mount', '--bind', '/etc/hostname', '/etc/resolv.conf'])
      .status === 0
  );
}

const types = { a: 1, srv: 33 } as const;
let servers = 0;

/** `hosts`: lines of /etc/hosts under the prefix, in place of the machine's. */
export async function startNameServer(
  zone: Zone,
  services: Services = () => undefined,
  hosts?: readonly string[],
): Promise<NameServer> {
  const counts = new Map<string, number>();
  const count = (key: string): number => counts.get(key) ?? 0;
  const socket = createSocket('udp4');
  // resolv.conf knows no ports: an unused address of loopback stands in for one.
  const address = `127.${53 + servers++}.${1 + ((process.pid >> 8) % 250)}.${1 + (process.pid % 250)}`;
  socket.on('message', (query, from) => {
    const { name, type, end } = question(query);
    const key = `${type} ${name}`;
    counts.set(key, count(key) + 1);
    const addresses = zone(name, Math.max(1, count(`${types.a} ${name}`)));
    if (addresses === 'silent') return;
    const listed = services(name, Math.max(1, count(`${types.srv} ${name}`)));
    const records =
      type === types.a
        ? (addresses ?? []).map((ip) => Buffer.from(ip.split('.').map(Number)))
        : type === types.srv
          ? (listed ?? []).map(serviceData)
          : [];
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(addresses === undefined && listed === undefined ? 0x8583 : 0x8580, 2);
    header.writeUInt16BE(records.length, 6);
    header.fill(0, 8, 12);
    const answers = records.map((record) =>
      Buffer.concat([Buffer.from([0xc0, 0x0c, 0, type, 0, 1, 0, 0, 0, 0, 0, record.length]), record]),
    );
    socket.send(Buffer.concat([header, query.subarray(12, end), ...answers]), from.port, from.address);
  });
  socket.bind(53, address);
  await once(socket, 'listening');
  atEnd(() => {
    socket.close();
  });
  const folder = temporaryFolder();
  const files = {
    'resolv.conf': `nameserver ${address}\noptions timeout:30 attempts:1\n`,
    ...(hosts && { hosts: `${hosts.join('\n')}\n` }),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const mounts = Object.keys(files).map((name) => `mount --bind "$0/${name}" /etc/${name} && `);
  return {
    prefix: ['unshare', '-m', '--propagation', 'private', '/bin/sh', '-c', `${mounts.join('')}exec "$@"`, folder],
    queries: (name) => count(`${types.a} ${name}`),
    serviceQueries: (name) => count(`${types.srv} ${name}`),
  };
}

function question(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** PRIORITY(2) WEIGHT(2) PORT(2) TARGET (RFC 2782). */
function serviceData({ priority, weight, port, target }: ServiceRecord): Buffer {
  const numbers = Buffer.alloc(6);
  for (const [at, number] of [priority, weight, port].entries()) numbers.writeUInt16BE(number, 2 * at);
  return Buffer.concat([
    numbers,
    ...target.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.of(0),
  ]);
}

/**
 * A name server of the test's own, and a process prefix under which the system's resolver asks it and nobody else.
 * Needs Linux, root and `unshare`: a private mount namespace carries another /etc/resolv.conf.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { atEnd, temporaryFolder } from './scope.ts';

/** IPv4 addresses of a name, or undefined for NXDOMAIN; `nth` counts the A queries for that name from 1. */
export type Zone = (name: string, nth: number) => readonly string[] | undefined;
export interface NameServer { readonly prefix: readonly string[]; /** A queries for a name so far. */ queries(name: string): number }

/** Can this machine do it? */
export function mayReplaceResolver(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('unshare', ['-m', '--propagation', 'private', 'mount', '--bind', '/etc/hostname', '/etc/resolv.conf']).status === 0;
}

let servers = 0;

export async function startNameServer(zone: Zone): Promise<NameServer> {
  const counts = new Map<string, number>();
  const socket = createSocket('udp4');
  // resolv.conf knows no ports: an address of loopback that nobody else uses stands in for one.
  const address = `127.${53 + servers++}.${1 + (process.pid >> 8) % 250}.${1 + process.pid % 250}`;
  socket.on('message', (query, from) => {
    const { name, type, end } = question(query);
    const nth = (counts.get(name) ?? 0) + (type === 1 ? 1 : 0);
    counts.set(name, nth);
    const addresses = zone(name, Math.max(1, nth));
    const records = type === 1 ? addresses ?? [] : [];
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(addresses === undefined ? 0x8583 : 0x8580, 2);
    header.writeUInt16BE(records.length, 6);
    header.fill(0, 8, 12);
    const answers = records.map(ip => Buffer.concat([Buffer.from('c00c00010001000000000004', 'hex'), Buffer.from(ip.split('.').map(Number))]));
    socket.send(Buffer.concat([header, query.subarray(12, end), ...answers]), from.port, from.address);
  });
  socket.bind(53, address);
  await once(socket, 'listening');
  atEnd(() => { socket.close(); });
  const file = join(temporaryFolder(), 'resolv.conf');
  writeFileSync(file, `nameserver ${address}\noptions timeout:30 attempts:1\n`);
  return {
    prefix: ['unshare', '-m', '--propagation', 'private', '/bin/sh', '-c', 'mount --bind "$0" /etc/resolv.conf && exec "$@"', file],
    queries: name => counts.get(name) ?? 0,
  };
}

function question(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length > 0; length = query[at]!) { labels.push(query.toString('latin1', at + 1, at + 1 + length)); at += length + 1; }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

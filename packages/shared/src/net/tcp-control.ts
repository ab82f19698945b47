/**
 * What we ask of the kernel for the TCP connection under a carrier: which congestion control it uses, how much it holds
 * that is not yet sent, and whether it had to send again.
 * Rule: the kernel owns what is in flight; we bound what is not yet sent (ADR 19). Nothing here fails a connection:
 * without native calls there is no control, and what the kernel refuses stays as it was.
 * Spec: tcp(7), TCP_CONGESTION, TCP_NOTSENT_LOWAT, TCP_INFO.
 */
import { readFileSync } from 'node:fs';
import type net from 'node:net';
import { endianness } from 'node:os';
import { AditError } from '../errors.ts';
import { socketOption, socketOptions } from '../native/socket-options.ts';
import { descriptorOf } from './descriptor.ts';

/** The name of one that the kernel has, or `auto`: BBR where the kernel has it and lets this user choose it. */
export type Congestion = string;

export interface TcpControl {
  /** The congestion control in use: "bbr". */
  readonly congestion: string;
  /** Bounds what the kernel holds unsent; bytes. */
  boundUnsent(bytes: number): void;
  /** How many segments the kernel has sent again so far. */
  resent(): number;
}

/** What the kernel may hold unsent before anything is known about the path. */
export const firstUnsentBytes = 131_072;
const nameBytes = 16; // TCP_CA_NAME_MAX, with its NUL
const infoBytes = 104; // struct tcp_info up to tcpi_total_retrans, its last field here
const allowedFile = '/proc/sys/net/ipv4/tcp_allowed_congestion_control';

/** Takes control of a connected TCP socket; undefined without native calls, and for a socket that is not TCP. */
export function controlTcp(
  socket: net.Socket,
  congestion: Congestion,
  options = socketOptions(),
): TcpControl | undefined {
  const fd = descriptorOf(socket);
  if ('missing' in options || fd === undefined) return undefined;
  options.set(fd, socketOption.congestion, nameOf(congestion));
  const inUse = options.read(fd, socketOption.congestion, nameBytes);
  if (!inUse.ok || !options.set(fd, socketOption.notSentLowat, firstUnsentBytes).ok) return undefined;
  let resent = 0;
  const open = (): boolean => descriptorOf(socket) === fd; // a closed one may belong to another socket by now
  return {
    congestion: Buffer.from(inUse.bytes).toString('latin1').replace(/\0.*$/s, ''),
    boundUnsent: (bytes) => {
      if (open()) options.set(fd, socketOption.notSentLowat, bytes);
    },
    resent: () => {
      const info = open() ? options.read(fd, socketOption.info, infoBytes) : undefined;
      if (info?.ok === true && info.bytes.length === infoBytes) resent = lastField(info.bytes);
      return resent;
    },
  };
}

/** Throws CONFIG_INVALID if carriers could not have this congestion control. `auto` is always possible. */
export function checkCongestion(congestion: Congestion, load = socketOptions): void {
  if (congestion === 'auto') return;
  const options = load();
  if ('missing' in options)
    throw new AditError('CONFIG_INVALID', `--congestion ${congestion} needs ${options.missing}`);
  if (options.tryOn(socketOption.congestion, nameOf(congestion)).ok) return;
  throw new AditError(
    'CONFIG_INVALID',
    `--congestion ${congestion}: this kernel does not have it, or does not let this user choose it${allowed()}`,
  );
}

function nameOf(congestion: Congestion): Buffer {
  return Buffer.from(congestion === 'auto' ? 'bbr' : congestion);
}

function allowed(): string {
  try {
    return ` (${allowedFile}: ${readFileSync(allowedFile, 'latin1').trim()})`;
  } catch {
    return ''; // it is only a hint
  }
}

function lastField(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return view.getUint32(bytes.length - 4, endianness() === 'LE');
}

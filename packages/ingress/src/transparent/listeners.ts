/**
 * What all transparent listeners of one ingress share: the native calls, the set of their ports, one front end.
 * Rule: a listener for TPROXY is made transparent before a rule can send it a connection, or the start fails; otherwise
 * the kernel would silently give it none.
 */
import { networkInterfaces } from 'node:os';
import { AditError } from '@adit/shared/errors';
import type { Listener } from '@adit/shared/net/listen';
import { socketOption, socketOptions, type SocketOptions } from '@adit/shared/native/socket-options';
import { isOutgoing } from '@adit/shared/net/outgoing';
import { formatAddress, parseAddress } from '@adit/shared/protocol/address';
import type { FrontEnd } from '../frontend/contract.ts';
import { transparent } from '../frontend/transparent.ts';
import { originalDestination } from './original-destination.ts';

export interface TransparentListeners {
  readonly frontEnd: FrontEnd;
  /** Called when one of them is open. Throws LISTEN_FAILED if it cannot be made transparent. */
  opened(listener: Pick<Listener, 'address' | 'port' | 'descriptors'>, tproxy: boolean): void;
}

/** Throws TRANSPARENT_UNAVAILABLE if the native calls are missing. */
export function transparentListeners(options: SocketOptions = neededOptions()): TransparentListeners {
  const ports = new Set<number>();
  return {
    frontEnd: transparent({
      originalOf: (arrival) => originalDestination(arrival, options),
      isListener: ({ host, port }) => ports.has(port) && isOwnAddress(host),
      isOutgoing,
    }),
    opened: ({ address, port, descriptors }, tproxy) => {
      ports.add(port);
      if (tproxy) for (const fd of descriptors) makeTransparent({ address, fd }, options);
    },
  };
}

/** The native calls that `--transparent` needs. Throws TRANSPARENT_UNAVAILABLE if this process has none. */
export function neededOptions(options = socketOptions()): SocketOptions {
  if ('missing' in options) throw new AditError('TRANSPARENT_UNAVAILABLE', `--transparent needs ${options.missing}`);
  return options;
}

const notPermitted = 1; // EPERM

/** Sets the option of either family: the kernel refuses that of the other one, and keeps one bit for both. */
function makeTransparent(
  { address, fd }: { readonly address: string; readonly fd: number },
  options: SocketOptions,
): void {
  const six = options.set(fd, socketOption.transparent6, 1);
  if (six.ok) return;
  const four = options.set(fd, socketOption.transparent4, 1);
  if (four.ok) return;
  const reason =
    six.errno === notPermitted || four.errno === notPermitted
      ? 'that needs the capability CAP_NET_ADMIN (setcap, AmbientCapabilities= of systemd, or root)'
      : `errno ${four.errno}`;
  throw new AditError('LISTEN_FAILED', `Cannot accept TPROXY connections at ${address}: ${reason}.`);
}

/** Whether the address is one of this machine; called only for the ports of our listeners. */
function isOwnAddress(host: string): boolean {
  if (host.startsWith('127.')) return true;
  return Object.values(networkInterfaces())
    .flat()
    .some((one) => {
      const bytes = parseAddress(one?.address ?? '');
      return bytes !== undefined && formatAddress(bytes) === host;
    });
}

/**
 * Reports changes of the network interfaces: another Wi-Fi, a VPN that comes up, a renewed address.
 * Rule: compares names and addresses once a second, because Node has no event for it; never keeps the process alive.
 */
import { networkInterfaces } from 'node:os';

export interface NetworkWatchOptions {
  readonly everyMs: number;
  readonly interfaces: () => ReturnType<typeof networkInterfaces>;
}

const defaults: NetworkWatchOptions = { everyMs: 1_000, interfaces: networkInterfaces };

/** Calls `onChange` after each change, until the signal aborts. */
export function watchNetwork(
  onChange: () => void,
  signal: AbortSignal,
  options: Partial<NetworkWatchOptions> = {},
): void {
  const { everyMs, interfaces } = { ...defaults, ...options };
  if (signal.aborted) return;
  let seen = networkName(interfaces) ?? '';
  const timer = setInterval(() => {
    const now = networkName(interfaces);
    if (now === undefined || now === seen) return;
    seen = now;
    onChange();
  }, everyMs).unref();
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}

/** Names the current network by its interfaces and addresses; undefined if no file descriptor is left to read them. */
export function networkName(
  interfaces: () => ReturnType<typeof networkInterfaces> = networkInterfaces,
): string | undefined {
  try {
    return JSON.stringify(
      Object.entries(interfaces()).map(([name, addresses]) => [name, addresses?.map(({ address }) => address)]),
    );
  } catch {
    return undefined;
  }
}

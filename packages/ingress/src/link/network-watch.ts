/**
 * Tells when the machine's network interfaces change: a Wi-Fi switch, a VPN that comes up, an address that is renewed.
 * Rule: compares names and addresses once a second, because no platform tells Node; never keeps the process alive.
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

/**
 * Tells networks apart: the names and addresses of all interfaces. Undefined where no file descriptor is left to ask
 * with.
 */
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

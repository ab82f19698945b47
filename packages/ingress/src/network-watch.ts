/**
 * Tells when the machine's network interfaces change: a Wi-Fi switch, a VPN that comes up, an address that is renewed.
 * Rule: compares names and addresses once a second, because no platform tells Node; never keeps the process alive.
 */
import { networkInterfaces } from 'node:os';

export interface NetworkWatchOptions { readonly everyMs: number; readonly interfaces: () => ReturnType<typeof networkInterfaces> }

const defaults: NetworkWatchOptions = { everyMs: 1_000, interfaces: networkInterfaces };

/** Calls `onChange` after each change, until the signal aborts. */
export function watchNetwork(onChange: () => void, signal: AbortSignal, options: Partial<NetworkWatchOptions> = {}): void {
  const { everyMs, interfaces } = { ...defaults, ...options };
  if (signal.aborted) return;
  let seen = '';
  const state = (): string => {
    try {
      return JSON.stringify(Object.entries(interfaces()).map(([name, addresses]) => [name, addresses?.map(({ address }) => address)]));
    } catch {
      return seen; // no file descriptor is left to ask with: as far as we can tell nothing changed
    }
  };
  seen = state();
  const timer = setInterval(() => {
    const now = state();
    if (now === seen) return;
    seen = now;
    onChange();
  }, everyMs).unref();
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}

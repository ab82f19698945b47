/**
 * What a service of the policy is: where its backends are and how one is chosen. Only types, and the defaults.
 * Rule: the name of a backend is its address in one spelling, and unique in its service. Logs use that name, and what
 * is known of a backend survives a reload by it.
 * Spec: docs/services.md.
 */
import type { HostPort } from '@adit/shared/protocol/destination';
import type { Via } from './via.ts';

export const balances = ['round-robin', 'least-connections', 'source'] as const;
/** How the next backend is chosen. */
export type Balance = (typeof balances)[number];

export const hashOns = ['identity', 'client'] as const;
/** The key of `source`: the proven identity, or the address that the ingress claims for its client. */
export type HashOn = (typeof hashOns)[number];

export const proxyProtocols = ['v1', 'v2'] as const;
export type ProxyProtocol = (typeof proxyProtocols)[number];

/** Where a backend is. */
export type BackendAddress =
  | ({ readonly kind: 'tcp' | 'tls' } & HostPort)
  | { readonly kind: 'unix'; readonly path: string };

/** `weight` 0 takes no new streams. `via`: the next hop, which is asked for the backend and resolves its name. */
export type Backend = BackendAddress & { readonly name: string; readonly weight: number; readonly via?: Via };

/** Health checks: `rise` successes in a row make a backend up, `fall` failures make it down. */
export interface HealthSettings {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
}

/** TLS to `tls://` backends, with paths as the file has them. Without `ca` the roots of the system are trusted. */
export interface TlsSettings {
  readonly ca?: string;
  readonly serverName?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface Service {
  readonly name: string;
  readonly backends: readonly Backend[];
  readonly balance: Balance;
  readonly hashOn: HashOn;
  readonly health?: HealthSettings;
  readonly proxyProtocol?: ProxyProtocol;
  readonly tls: TlsSettings;
}

export const healthDefaults: HealthSettings = { intervalMs: 5_000, timeoutMs: 2_000, rise: 2, fall: 3 };
export const serviceDefaults = { balance: 'round-robin', hashOn: 'identity', tls: {} } as const;
export const maxWeight = 256;

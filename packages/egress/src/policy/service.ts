/**
 * What a service of the policy is: where its backends are and how one is chosen. Types only, and what holds where the
 * file says nothing.
 * Rule: a backend is named by its address in one spelling, once in a service; that name is what logs say and what
 * survives a reload. Spec: docs/services.md.
 */
import type { Via } from './via.ts';

export const balances = ['round-robin', 'least-connections', 'source'] as const;
/** How the next backend is chosen. */
export type Balance = (typeof balances)[number];

export const hashOns = ['identity', 'client'] as const;
/** By what `source` remembers: the proven identity, or the address that the ingress says its client has. */
export type HashOn = (typeof hashOns)[number];

export const proxyProtocols = ['v1', 'v2'] as const;
export type ProxyProtocol = (typeof proxyProtocols)[number];

export interface TcpPlace {
  readonly kind: 'tcp' | 'tls';
  readonly host: string;
  readonly port: number;
}
export interface UnixPlace {
  readonly kind: 'unix';
  readonly path: string;
}
export type BackendPlace = TcpPlace | UnixPlace;

/**
 * One place of a service. `weight` 0 takes no new streams. `via`: the next hop, which is asked for it and resolves its
 * name.
 */
export type Backend = BackendPlace & { readonly name: string; readonly weight: number; readonly via?: Via };

/** Active checks, times in milliseconds: so many successes in a row for up, so many failures for down. */
export interface HealthSettings {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
}

/** TLS towards `tls://` backends: paths as the file has them. Without `ca` the roots of the system hold. */
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

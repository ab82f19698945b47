/**
 * Services as the policy file says them, for tests of what is done with their backends.
 */
import { compilePolicy } from '../../packages/egress/src/policy/compile.ts';
import type { Service } from '../../packages/egress/src/policy/service.ts';

/** What stands under `web:` in `services`. */
export type ServiceText = string | Readonly<Record<string, unknown>>;

/** The service `web`. */
export function serviceOf(written: ServiceText): Service {
  return servicesOf(written).get('web')!;
}

/** A policy's services of which `web` is one. */
export function servicesOf(written: ServiceText): ReadonlyMap<string, Service> {
  return compilePolicy(JSON.stringify({ version: 1, services: { web: written }, rules: [] }), 'policy.yaml').services;
}

/** Backends a, b, c and so on with these weights, at addresses where nothing is. */
export function backendsOf(...weights: readonly number[]): { readonly address: string; readonly weight: number }[] {
  return weights.map((weight, at) => ({ address: `${String.fromCharCode(97 + at)}:1`, weight }));
}

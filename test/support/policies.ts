/**
 * Policies, identities and destinations for tests that ask what a policy decides.
 */
import { type Destination, parseDestination } from '@adit/shared/protocol/destination';
import { Policy } from '../../packages/egress/src/policy/policy.ts';
import type { Subject } from '../../packages/egress/src/policy/verdict.ts';

/** A client of example.org. */
export const subject = (name: string, ...groups: string[]): Subject => ({
  name,
  groups,
  trustDomain: 'example.org',
  uri: `spiffe://example.org/client/${name}`,
});
export const alice = subject('alice');

export const to = (text: string): Destination => {
  const parsed = parseDestination(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
};

/** A rule as the file has it, for alice where nobody else is named. */
export const rule = (
  name: string,
  allow: readonly string[],
  more: { readonly deny?: readonly string[]; readonly identities?: readonly string[] } = {},
) => ({ name, identities: ['alice'], allow, deny: [], ...more });

export const policyOf = (rules: readonly object[], services: Readonly<Record<string, string>> = {}): Policy =>
  Policy.parse(JSON.stringify({ version: 1, services, rules }), 'policy.yaml');

/** A policy that allows alice this. */
export const allowing = (...allow: string[]): Policy => policyOf([rule('r', allow)]);

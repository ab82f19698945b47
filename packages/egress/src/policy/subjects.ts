/**
 * Turns an identity as people write it (in tests of a policy, on the command line) into the subjects to ask about.
 * Rule: a bare name may belong to any trust domain that the policy pins, so it stands for one subject in each.
 */
import { parseIdentityPattern, type IdentityPattern } from './identity-pattern.ts';
import type { Subject } from './verdict.ts';

/** A name that no certificate can hold, and so no rule names. */
const nobody = '?';
const anyDomain = 'any.invalid';

/** The subjects that NAME, group:GROUP or a URI without `*` stands for. */
export function subjectsOf(
  pattern: IdentityPattern,
  groups: readonly string[],
  trustDomains: readonly string[],
): readonly Subject[] {
  const { name, group, pinned } =
    pattern.kind === 'everybody'
      ? { name: nobody, group: [], pinned: undefined }
      : {
          name: pattern.kind === 'client' ? pattern.name : nobody,
          group: pattern.kind === 'group' ? [pattern.name] : [],
          pinned: pattern.trustDomain,
        };
  const domains = pinned !== undefined ? [pinned] : trustDomains.length > 0 ? trustDomains : [anyDomain];
  return domains.map((trustDomain) => ({
    name,
    trustDomain,
    uri: `spiffe://${trustDomain}/client/${name}`,
    groups: [...group, ...groups],
  }));
}

/** The same from text; undefined when the text names no single identity. */
export function parseSubjects(
  text: string,
  groups: readonly string[],
  trustDomains: readonly string[],
): readonly Subject[] | undefined {
  const parsed = parseIdentityPattern(text);
  return parsed.ok && parsed.value.kind !== 'everybody' && !parsed.value.glob
    ? subjectsOf(parsed.value, groups, trustDomains)
    : undefined;
}

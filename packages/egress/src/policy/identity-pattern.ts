/**
 * Whom a rule names: NAME, group:GROUP, spiffe://TRUST-DOMAIN/client/NAME or /group/GROUP, which may end in `*`, and
 * `*`.
 * Rule: letters keep their case. A `*` stands for one character or more, never for a `/`. A pattern that no certificate
 * can match is refused. NAME and group:GROUP match in every trust domain whose CA the egress trusts; a URI pins one.
 * Not here: which certificates prove which names (the identity folder of the shared package).
 */
import type { Parsed } from '@adit/shared/protocol/address';
import type { Subject } from './verdict.ts';

export type IdentityPattern =
  | { readonly kind: 'everybody' }
  | { readonly kind: 'client' | 'group'; readonly name: string; readonly glob: boolean; readonly trustDomain?: string };

const name = /^[A-Za-z0-9._-]{1,255}$/;
const uri = /^spiffe:\/\/([a-z0-9._-]{1,255})\/(client|group)\/([A-Za-z0-9._-]{0,255})(\*?)$/;
const dots = new Set(['.', '..']);

/** Reads one pattern. */
export function parseIdentityPattern(text: string): Parsed<IdentityPattern> {
  if (text === '*') return { ok: true, value: { kind: 'everybody' } };
  if (text.startsWith('spiffe:')) {
    const [, trustDomain, kind, start = '', star] = uri.exec(text) ?? [];
    if (trustDomain === undefined || (start === '' && star === '') || dots.has(start)) {
      return {
        ok: false,
        reason: 'write spiffe://TRUST-DOMAIN/client/NAME or spiffe://TRUST-DOMAIN/group/GROUP; a "*" may end it',
      };
    }
    return { ok: true, value: { kind: kind as 'client' | 'group', name: start, glob: star === '*', trustDomain } };
  }
  const group = text.startsWith('group:');
  const bare = group ? text.slice('group:'.length) : text;
  if (!name.test(bare) || dots.has(bare)) {
    return {
      ok: false,
      reason: bare.includes('*')
        ? 'a "*" may end a URI only: write spiffe://TRUST-DOMAIN/client/START*'
        : 'write NAME, group:GROUP, spiffe://TRUST-DOMAIN/client/NAME, or "*" for every verified client',
    };
  }
  return { ok: true, value: { kind: group ? 'group' : 'client', name: bare, glob: false } };
}

/** Does the pattern name this subject? */
export function identityMatches(pattern: IdentityPattern, subject: Subject): boolean {
  if (pattern.kind === 'everybody') return subject.name !== '';
  if (pattern.trustDomain !== undefined && pattern.trustDomain !== subject.trustDomain) return false;
  const fits = (candidate: string): boolean =>
    pattern.glob
      ? candidate.startsWith(pattern.name) && candidate.length > pattern.name.length
      : candidate === pattern.name;
  return pattern.kind === 'client' ? fits(subject.name) : subject.groups.some(fits);
}

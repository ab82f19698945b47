/**
 * The names in certificates: NAME of a client or egress, GROUP, HOST and trust domain, and the SPIFFE URIs made of
 * them.
 * Rule: a name is accepted only if readClientNames of @adit/shared reads it back and if it is safe as a file name. It
 * is checked before anything is signed.
 * Spec: SPIFFE-ID section 2; RFC 5280 section 4.2.1.6; a common name has at most 64 characters (X.520).
 */
import { AditError } from '@adit/shared/errors';
import { safeText } from '@adit/shared/observe/safe-text';
import { addressFamily, parseHost } from '@adit/shared/protocol/destination';

export type Kind = 'client' | 'egress';

export const defaultTrustDomain = 'adit.internal';

const name = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const trustDomain = /^[a-z0-9](?:[a-z0-9._-]{0,253}[a-z0-9])?$/;
/** Names whose files would have the names of the CA's own. */
const reserved = ['ca'];

/** Checks a NAME: 1 to 64 letters, digits, `.`, `-` or `_`, a letter or digit first. Fails with NAME_INVALID. */
export function checkName(text: string): string {
  if (reserved.includes(text.toLowerCase())) throw invalid('name', text, 'its files would be those of the CA');
  return checkWord(text, 'name');
}

/** Checks a GROUP, under the rules for a NAME. Fails with NAME_INVALID. */
export function checkGroup(text: string): string {
  return checkWord(text, 'group');
}

/** Checks a trust domain: 1 to 255 lower-case letters, digits, `.`, `-` or `_`. Fails with NAME_INVALID. */
export function checkTrustDomain(text: string): string {
  if (trustDomain.test(text)) return text;
  throw invalid(
    'trust domain',
    text,
    text.toLowerCase() !== text && trustDomain.test(text.toLowerCase())
      ? 'write it in lower case'
      : 'it is 1 to 255 lower-case letters, digits, dots, dashes and underscores, a letter or digit first and last',
  );
}

/** A host or address of an egress, in the spelling that clients compare with. */
export interface Host {
  readonly kind: 'dns' | 'ip';
  readonly text: string;
}

/** Checks a HOST: a DNS name (A-labels, no wildcard) or an IP address without brackets. Fails with NAME_INVALID. */
export function checkHost(text: string): Host {
  const bare = /^\[.*:.*\]$/.test(text) ? text.slice(1, -1) : text;
  if (bare.includes('*'))
    throw invalid('host', text, 'a certificate for every name under a domain is not issued: name each host');
  const host = parseHost(bare);
  if (!host.ok) throw invalid('host', text, `${host.reason} (no port goes here)`);
  return { kind: addressFamily(host.value) === 0 ? 'dns' : 'ip', text: host.value };
}

/** `spiffe://TRUST-DOMAIN/client/NAME`, and the same for an egress and a group. */
export function spiffeUri(domain: string, kind: Kind | 'group', text: string): string {
  return `spiffe://${domain}/${kind}/${text}`;
}

/** Who a certificate is for; its names have been checked. */
export type Subject =
  | { readonly kind: 'client'; readonly name: string; readonly groups: readonly string[] }
  | { readonly kind: 'egress'; readonly name: string; readonly hosts: readonly Host[] };

/** A client and its groups, without duplicates. Fails with NAME_INVALID. */
export function clientSubject(text: string, groups: readonly string[] = []): Subject {
  return { kind: 'client', name: checkName(text), groups: [...new Set(groups.map(checkGroup))] };
}

/** An egress and its hosts, at least one, without duplicates. Fails with NAME_INVALID, and USAGE (no host). */
export function egressSubject(text: string, hosts: readonly string[]): Subject {
  const checked = new Map(hosts.map((host) => checkHost(host)).map((host) => [host.text, host]));
  if (checked.size === 0)
    throw new AditError(
      'USAGE',
      `The egress ${safeText(text)} has no host: give the names and addresses that its clients dial with --host.`,
    );
  return { kind: 'egress', name: checkName(text), hosts: [...checked.values()] };
}

function checkWord(text: string, what: string): string {
  if (name.test(text)) return text;
  throw invalid(
    what,
    text,
    text.length > 64
      ? `it has ${text.length} characters, and 64 is the most`
      : 'it is 1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first',
  );
}

function invalid(what: string, text: string, why: string): AditError {
  return new AditError('NAME_INVALID', `The ${what} "${safeText(text, { maxLength: 100 })}" cannot be used: ${why}.`);
}

/**
 * The header Via (RFC 9110 section 7.6.3): over which proxies and egresses a request came. Each hop adds its pseudonym
 * at the end.
 * Rule: every element of the header counts as a hop, also one that we do not understand. A request that came through
 * this egress before, or over too many hops, goes no further.
 */
import { randomBytes } from 'node:crypto';

export const maxHops = 8;

/** A name for this egress that no other egress has, and that names no host. */
export function newPseudonym(): string {
  return `adit-${randomBytes(8).toString('hex')}`;
}

/**
 * The elements of the header, several of them joined by Node. A comma in a comment also separates: that counts more
 * hops, never fewer.
 */
export function hopsOf(via: string | readonly string[] | undefined): readonly string[] {
  return (via === undefined ? [] : typeof via === 'string' ? [via] : via)
    .flatMap((text) => text.split(','))
    .map((hop) => hop.trim())
    .filter((hop) => hop !== '');
}

/** Why the request goes no further; undefined where it may. */
export function loopOf(hops: readonly string[], pseudonym: string): string | undefined {
  if (hops.some((hop) => hop.split(/[ \t]+/)[1] === pseudonym))
    return 'this request came through this egress before: the next hops lead in a circle';
  return hops.length > maxHops ? `this request came over ${hops.length} hops, and ${maxHops} are the most` : undefined;
}

/**
 * The header for the next hop. A character that is not visible ASCII cannot be part of a hop's name, and becomes "?".
 */
export function viaHeader(hops: readonly string[], pseudonym: string): string {
  return [...hops.map((hop) => hop.replace(/[^ -~]/g, '?')), `1.1 ${pseudonym}`].join(', ');
}

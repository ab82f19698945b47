/**
 * The way that a request came over proxies and egresses, as Via has it (RFC 9110 section 7.6.3): each hop adds itself
 * at the end.
 * Rule: every element of the header counts as a hop, also one that we do not understand; who finds its own mark there,
 * or too many, goes no further.
 */
import { randomBytes } from 'node:crypto';

export const maxHops = 8;

/** A mark that no other egress has; it names no host. */
export function newMark(): string {
  return `adit-${randomBytes(8).toString('hex')}`;
}

/**
 * The elements of the header, several of them joined by Node. Commas in comments part them too: that counts more hops,
 * never less.
 */
export function hopsOf(via: string | readonly string[] | undefined): readonly string[] {
  return (via === undefined ? [] : typeof via === 'string' ? [via] : via)
    .flatMap((text) => text.split(','))
    .map((hop) => hop.trim())
    .filter((hop) => hop !== '');
}

/** Why the request goes no further; undefined where it may. */
export function loopOf(hops: readonly string[], mark: string): string | undefined {
  if (hops.some((hop) => hop.split(/[ \t]+/)[1] === mark))
    return 'this request came through this egress before: the next hops lead in a circle';
  return hops.length > maxHops ? `this request came over ${hops.length} hops, and ${maxHops} are the most` : undefined;
}

/** The header for the next hop. Only visible ASCII goes on: what is not was no hop's name. */
export function trailOf(hops: readonly string[], mark: string): string {
  return [...hops.map((hop) => hop.replace(/[^ -~]/g, '?')), `1.1 ${mark}`].join(', ');
}

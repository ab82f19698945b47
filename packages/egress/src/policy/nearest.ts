/**
 * Why nothing allows a request: which rule is the nearest. For the log of the egress and for authors of policies.
 * Rule: called for refusals only, makes one pass over the rules, and is not for the client.
 */
import { cidrContains } from '@adit/shared/protocol/address';
import type { Rule } from './compile.ts';
import type { DestinationPattern } from './destination-pattern.ts';
import type { Grant } from './grants.ts';
import { portsInclude } from './ports.ts';

export interface Asked {
  readonly service: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly literal: Uint8Array | undefined;
}

/** A clause for the log. `mine` are the rules that name the identity, `all` those of the file. */
export function nearest(asked: Asked, mine: readonly Rule[], all: readonly Rule[]): string {
  if (mine.length === 0) return 'no rule names this identity';
  const grants = mine.flatMap(({ allow }) => allow);
  const otherPort = grants.find(({ pattern }) => covers(pattern, asked));
  if (otherPort !== undefined) return `${otherPort.why} is the nearest, but has other ports`;
  const range =
    asked.literal === undefined && asked.service === undefined
      ? grants.find(({ pattern }) => pattern.kind === 'range' && portsInclude(pattern.ports, asked.port))
      : undefined;
  const others = firstOf(all, mine, asked);
  if (others !== undefined) return `${others.why} allows it, but not to this identity`;
  if (range !== undefined)
    return `no rule allows this name; ${range.why} allows addresses, and the client asked for a name`;
  return `no rule that names this identity allows it (${mine.map(({ name }) => `"${name}"`).join(', ')})`;
}

function firstOf(all: readonly Rule[], mine: readonly Rule[], asked: Asked): Grant | undefined {
  const ours = new Set(mine);
  for (const rule of all) {
    const found = ours.has(rule)
      ? undefined
      : rule.allow.find(
          ({ pattern }) =>
            covers(pattern, asked) && (pattern.kind === 'service' || portsInclude(pattern.ports, asked.port)),
        );
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Is the pattern about this destination, whatever the port? */
function covers(pattern: DestinationPattern, { service, host, literal }: Asked): boolean {
  if (service !== undefined || pattern.kind === 'service')
    return pattern.kind === 'service' && pattern.service === service;
  switch (pattern.kind) {
    case 'any':
      return true;
    case 'range':
      return literal !== undefined && cidrContains(pattern.range, literal);
    case 'name':
      return pattern.host === host;
    case 'suffix':
      return literal === undefined && host.endsWith(pattern.suffix) && host.length > pattern.suffix.length;
  }
}

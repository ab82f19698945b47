/**
 * The static forward of `-L`: every connection of one listener goes to one destination.
 * Rule: it reads nothing of the client, whose bytes follow OPEN at once.
 */
import type { Destination } from '@adit/shared/protocol/destination';
import type { FrontEnd } from './contract.ts';

export function forward(destination: Destination): FrontEnd {
  const ask = { carry: 'splice', frontEnd: 'forward', destination } as const;
  return { ask: () => ask };
}

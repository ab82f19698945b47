/**
 * The static forward of `-L`: every connection of one listener goes to one destination.
 * Rule: not a byte of the client is looked at; what it sends may follow OPEN at once.
 */
import type { Destination } from '@adit/shared/protocol/destination';
import type { FrontEnd } from './contract.ts';

export function forward(destination: Destination): FrontEnd {
  const ask = { carry: 'splice', frontEnd: 'forward', destination } as const;
  return { ask: () => ask };
}

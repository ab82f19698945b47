/** No tunnel: clients reach the service itself, which shows how much of a row the load and the service cost. */
import type { Peer } from './peer.ts';

export const direct: Peer = {
  name: 'direct',
  kind: 'bound',
  unavailable: () => undefined,
  version: () => Promise.resolve('no tunnel'),
  commands: () => undefined,
};

/**
 * The carrier contract through a proxy: for a TLS carrier and for both forms of WebSocket.
 * Rule: where the program is missing there is one skipped scenario, or a failure in CI; it is started once, by the
 * first pair.
 */
import type { Proxy } from '@adit/shared/carrier/route';
import type { Certificates } from '../support/certificates.ts';
import { find, scenario } from '../support/scenario.ts';
import { tlsPairs } from '../support/tls-pair.ts';
import type { CarrierPair } from '../support/tunnel.ts';
import { webSocketPairs } from '../support/websocket-pair.ts';
import { carrierContract } from './carrier-contract.ts';

export interface ThroughProxy {
  readonly program: string;
  readonly name: string;
  readonly certificates: Certificates;
  readonly start: () => Promise<Proxy>;
  /** Default: all of them. */
  readonly only?: CarrierName;
}

type CarrierName = 'TLS' | 'WebSocket' | 'TLS inside a WebSocket';
type Pairs = (changes: { readonly proxy: Proxy }) => Promise<CarrierPair>;

export function contractThrough({ program, name, certificates: certs, start, only }: ThroughProxy): void {
  if (find(program) === undefined) {
    scenario(`the carrier contract through ${name}`, [program], async () => {
      /* skipped, or a failure in CI */
    });
    return;
  }
  const carriers: Readonly<Record<CarrierName, () => Promise<Pairs>>> = {
    TLS: () => tlsPairs(certs),
    WebSocket: async () => {
      const pairs = await webSocketPairs(certs, 'websocket');
      return (changes) => pairs.pair(changes);
    },
    'TLS inside a WebSocket': async () => {
      const pairs = await webSocketPairs(certs, 'websocket+tls');
      return (changes) => pairs.pair(changes);
    },
  };
  let proxy: Promise<Proxy> | undefined;
  for (const [carrier, make] of Object.entries(carriers)) {
    if (only !== undefined && carrier !== only) continue;
    let pairs: Promise<Pairs> | undefined;
    carrierContract(`${carrier} through ${name}`, async () =>
      (await (pairs ??= make()))({ proxy: await (proxy ??= start()) }),
    );
  }
}

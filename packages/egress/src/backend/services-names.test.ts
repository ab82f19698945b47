import { expect, test } from '@jest/globals';
import { memoryLog } from '../../../../test/support/in-process.ts';
import { servicesOf } from '../../../../test/support/pool-services.ts';
import { atEnd, temporaryFolder } from '../../../../test/support/scope.ts';
import { LookUps } from '../dialer/look-ups.ts';
import type { Permit } from '../dialer/judged.ts';
import { loadDestinationTls } from './service-tls.ts';
import { Services, type ReachRequest } from './services.ts';

const alice = { name: 'alice', uri: 'spiffe://example.org/client/alice' };
const allow = (): Permit => ({ allow: true, rule: 'r' });

/** Services over a resolver that never answers, and a way to ask for something without waiting for it. */
function unresolved() {
  const asked: string[] = [];
  const lookUps = new LookUps({
    atOnce: 4,
    lookUp: (host) => {
      asked.push(host);
      return new Promise(() => {
        /* silent */
      });
    },
  });
  const { log } = memoryLog();
  const services = new Services({ log, lookUps, destinationTls: () => loadDestinationTls({}), permitProbe: allow });
  atEnd(() => services.close());
  const given = servicesOf({ backends: ['db.internal:5432'] });
  services.prepare(given, temporaryFolder())();
  const controller = new AbortController();
  const reach = (request: Pick<ReachRequest, 'backends' | 'service'>): Promise<unknown> =>
    services.reach({
      caller: { identity: alice, remote: '127.0.0.1:1', requested: 'it', stream: 's-1' },
      timeoutMs: 30_000,
      signal: controller.signal,
      permit: allow,
      ...request,
    });
  return { asked, lookUps, reach, web: given.get('web')!, leave: () => controller.abort() };
}

test('a name that a client asks for counts for its identity, one of a service for the service', async () => {
  const { asked, lookUps, reach, web, leave } = unresolved();
  const direct = { kind: 'tcp', host: 'web.example', port: 80, name: 'tcp://web.example:80', weight: 1 } as const;
  const reaching = [
    reach({ backends: [direct] }),
    reach({ backends: web.backends, service: web }),
    reach({ backends: web.backends, service: web }),
  ];
  await new Promise(setImmediate);
  expect(asked).toEqual(['web.example', 'db.internal']);
  expect([lookUps.runningOf(alice.uri), lookUps.runningOf('service web')]).toEqual([1, 1]);
  leave();
  for (const one of reaching) await expect(one).rejects.toMatchObject({ code: 'PEER_GONE' });
});

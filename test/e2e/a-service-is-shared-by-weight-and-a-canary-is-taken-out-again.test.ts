import { expect, test } from '@jest/globals';
import { openTunnel } from '../support/adit.ts';
import { policyOfWeb, tally } from '../support/backends.ts';
import { reloadPolicy } from '../support/replace-file.ts';
import { ask, chunkFrom, client, service, type Service } from '../support/services.ts';

/** Says its name at once, and again at the end. */
const named = (name: string): Promise<Service> =>
  service((socket) => {
    socket.write(name);
    socket.resume().on('end', () => {
      socket.end();
    });
  });

test('a canary of weight 1 beside 9 gets every tenth connection; at weight 0 it only keeps those it has', async () => {
  const [stable, canary] = [await named('stable'), await named('canary')];
  const policy = (weights: readonly number[]): string =>
    policyOfWeb({
      backends: [
        { address: stable.at, weight: weights[0] },
        { address: canary.at, weight: weights[1] },
      ],
    });
  const tunnel = await openTunnel({ to: { web: 'web' }, policy: policy([9, 1]) });
  const shares = async (count: number): Promise<Record<string, number>> => {
    const answers: string[] = [];
    for (let n = 0; n < count; n++) answers.push(await ask(tunnel.port('web'), ''));
    return tally(answers);
  };

  expect(await shares(100)).toEqual({ stable: 90, canary: 10 });
  const reload = (weights: readonly number[]): Promise<void> => reloadPolicy(tunnel.egress, policy(weights));
  await reload([1, 1]);
  const open = [];
  for (let n = 0; n < 2; n++) {
    const one = await client(tunnel.port('web'));
    open.push({ ...one, name: String(await chunkFrom(one.socket)) });
  }
  const kept = open.find(({ name }) => name === 'canary')!;
  await reload([1, 0]);
  expect(await shares(20)).toEqual({ stable: 20 });
  kept.socket.end();
  expect((await kept.received).ending).toBe('end');
  await reload([1, 3]);
  expect(await shares(40)).toEqual({ stable: 10, canary: 30 });
});

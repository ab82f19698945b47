import { expect, test } from '@jest/globals';
import { type Egress, startEgress, startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { converse } from '../support/conversation.ts';
import { eventually, within } from '../support/scope.ts';
import { ask, closedPort, echo } from '../support/services.ts';

test(
  'new connections take turns among the egresses that are up, skip one that is gone and use it again when it is ' +
    'back; open ones stay',
  async () => {
    const files = certificates();
    const echoes = await echo();
    const egresses: Egress[] = [];
    for (let n = 0; n < 3; n++) egresses.push(await startEgress({ certificates: files, port: await closedPort() }));
    const [one, two, three] = egresses as [Egress, Egress, Egress];
    const ingress = await startIngress({
      certificates: files,
      egressPort: one.port,
      to: { echo: echoes.at },
      flags: ['--select', 'round-robin', ...[two, three].flatMap(({ port }) => ['--egress', `127.0.0.1:${port}`])],
    });
    const port = ingress.ports['echo']!;
    await Promise.all(
      egresses.map((egress) => ingress.process.event('connected', { egress: `127.0.0.1:${egress.port}` })),
    );
    /** How many of twelve connections each egress serves. */
    const spread = async (over: readonly Egress[]): Promise<number[]> => {
      const served = (egress: Egress): number => egress.process.all('stream', { end: 'finished' }).length;
      const before = over.map(served);
      const now = (): number[] => over.map((egress, at) => served(egress) - before[at]!);
      for (let n = 0; n < 12; n++) expect(await ask(port, 'hello')).toBe('hello');
      await eventually('twelve records in all', () => now().reduce((sum, count) => sum + count, 0) >= 12, {
        detail: () => String(now()),
      });
      return now();
    };
    expect(await spread(egresses)).toEqual([4, 4, 4]);

    const kept = await Promise.all(egresses.map(() => converse(port)));
    await two.process.kill();
    await ingress.process.event('detached');
    const [atOne, atThree] = (await spread([one, three])) as [number, number];
    expect(atOne + atThree).toBe(12);
    for (const count of [atOne, atThree]) expect(count).toBeGreaterThanOrEqual(4);

    const reborn = await startEgress({ certificates: files, port: two.port });
    await ingress.process.event('connected', { egress: `127.0.0.1:${two.port}` }, { nth: 2 });
    expect(await spread([one, reborn, three])).toEqual([4, 4, 4]);
    expect(
      (
        await within(
          30_000,
          'the reset of what the lost egress had',
          Promise.race(kept.map(({ received }) => received)),
        )
      ).ending,
    ).toBe('reset');
    const alive = kept.filter(({ socket }) => !socket.errored);
    expect(alive).toHaveLength(2);
    for (const open of alive) await open.echoes('y');
  },
);

import { expect, test } from '@jest/globals';
import { openTunnel, type LogLine } from '../support/adit.ts';
import { type Backend, policyOfWeb, startBackends, tally } from '../support/backends.ts';
import { client } from '../support/services.ts';
import { eventually, within } from '../support/scope.ts';

const question = 'a question';

test('one of three backends is killed twice under load and revived: the others serve what it cannot', async () => {
  const [a, b, c] = (await startBackends('a', 'b', 'c')) as [Backend, Backend, Backend];
  const tunnel = await openTunnel({
    to: { web: 'web' },
    policy: policyOfWeb({ backends: [a, b, c].map(({ at }) => at) }),
  });
  const { process: egress } = tunnel.egress;
  const port = tunnel.port('web');
  const answers: string[] = [];
  let resets = 0;

  /** One connection: served whole, or reset because the backend that had it was killed. */
  const one = async (): Promise<void> => {
    const { socket, received } = await client(port);
    socket.end(question);
    const { bytes, ending } = await within(30_000, 'an answer', received);
    socket.destroy();
    if (ending === 'reset') resets++;
    else answers.push(bytes.toString());
  };
  const load = async (count: number): Promise<void> => {
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let n = 0; n < count / 8; n++) await one();
      }),
    );
  };

  let killed = b;
  for (let round = 1; round <= 2; round++) {
    await load(80);
    const running = load(400);
    await eventually('the load to be under way', () => answers.length > round * 100);
    await killed.kill();
    await running;
    expect(await egress.event('backend-down', {}, { nth: round })).toMatchObject({
      service: 'web',
      backend: `tcp://${b.at}`,
      up: 2,
      of: 3,
    });
    const before = answers.length;
    await load(80);
    expect(tally(answers.slice(before))).toEqual({ 'a 10': 40, 'c 10': 40 });
    killed = await b.again();
    await egress.event('backend-up', { backend: `tcp://${b.at}` }, { nth: round });
    const after = answers.length;
    await load(120);
    expect(tally(answers.slice(after))).toEqual({ 'a 10': 40, 'b 10': 40, 'c 10': 40 });
  }

  const total = answers.length + resets;
  await eventually('every access record', () => egress.all('stream').length === total);
  const records = egress.all('stream');
  const attemptsOf = (record: LogLine): number => Number(record['attempts'] ?? 1);
  // No connection was refused; those that were reset had reached the backend that was killed.
  expect(
    records.filter(({ end }) => end !== 'finished').map(({ end, resolved }) => `${String(end)} ${String(resolved)}`),
  ).toEqual(Array(resets).fill(`reset ${b.at}`));
  expect(records.filter(({ resolved }) => resolved === undefined)).toEqual([]);
  expect(records.filter((record) => attemptsOf(record) > 2)).toEqual([]);
  const retried = records.filter((record) => attemptsOf(record) === 2);
  // The circuit opens after three failed dials; those under way at that moment are a few more.
  expect(retried.length).toBeGreaterThanOrEqual(6);
  expect(retried.length).toBeLessThanOrEqual(2 * (3 + 8));
  expect(resets).toBeLessThanOrEqual(2 * 8);
});

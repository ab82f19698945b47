import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { within } from '../support/scope.ts';
import { ask, chunkFrom, client } from '../support/services.ts';
import { openTwoEgresses } from '../support/two-egresses.ts';

/** The ingress looks once a second whether 10 s were silent, asks, and waits 3 s for the answer. */
const detectionMs = 10_000 + 1_000 + 3_000;
/** For a machine that is busy with other things. */
const graceMs = 15_000;

test(
  'when an egress falls silent the other one serves new connections within a detection time; those that are ' +
    'open, or were opened in the meantime, wait for theirs',
  async () => {
    const { first, second, ingress, network, open, echoPort: port } = await openTwoEgresses();

    network.stall('all');
    const silentSinceMs = performance.now();
    const afterMs = (): number => performance.now() - silentSinceMs;
    open.socket.write('into the silence');
    const rest = chunkFrom(open.socket, 240_000);
    let servedMs: number | undefined;
    const answers: Promise<string>[] = [];
    const dials = async (): Promise<void> => {
      while (servedMs === undefined && afterMs() < detectionMs + graceMs) {
        const { socket } = await client(port);
        socket.write('anybody?');
        answers.push(
          chunkFrom(socket, 240_000).then((answer) => {
            servedMs ??= afterMs();
            socket.destroy();
            return String(answer);
          }),
        );
        await delay(250);
      }
    };
    await within(detectionMs + graceMs, 'a new connection that is served', dials(), () => ingress.process.output);
    expect(await ingress.process.event('detached')).toMatchObject({ reason: expect.stringContaining('PING') });
    expect(servedMs).toBeGreaterThan(10_000); // nothing told it sooner: the path was silent
    for (let n = 0; n < 5; n++) expect(await ask(port, 'elsewhere')).toBe('elsewhere');
    await second.process.event('stream', {}, { nth: 6 });
    expect(first.process.all('stream')).toEqual([]);

    network.flow();
    await ingress.process.event('connected', { egress: `127.0.0.1:${network.port}`, resumed: true }, { ms: 60_000 });
    expect(String(await rest)).toBe('into the silence');
    for (const answer of answers) expect(await answer).toBe('anybody?');
    const elsewhere = second.process.all('stream').length;
    expect(await ask(port, 'at home again')).toBe('at home again');
    open.socket.end();
    expect((await within(30_000, 'the end', open.received)).ending).toBe('end');
    await first.process.event('stream', {}, { nth: answers.length });
    expect(second.process.all('stream')).toHaveLength(elsewhere);
    expect(ingress.process.all('connected').map(({ resumed }) => resumed)).toEqual([false, false, true]);
  },
  300_000,
);

import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { within } from '../support/scope.ts';
import { ask, chunkFrom, client } from '../support/services.ts';
import { openTwoEgresses } from '../support/two-egresses.ts';

/** The ingress asks an egress that has acknowledged nothing for a second, and opens nothing there meanwhile. */
const detectionMs = 1_000;
/** For a machine that is busy with other things. */
const graceMs = 15_000;

test(
  'when an egress falls silent the other one serves new connections within a detection time; those that are ' +
    'open, or had sent bytes in the meantime, wait for theirs',
  async () => {
    const {
      first,
      second,
      ingress,
      network,
      open,
      echoPort: port,
    } = await openTwoEgresses({
      ingressFlags: ['--connect-timeout', '240s'],
    });

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
    expect(servedMs).toBeLessThan(10_000); // sooner than a path without a byte is asked
    expect(ingress.process.all('detached')).toEqual([]); // the connection to it is doubted, not given up
    for (let n = 0; n < 5; n++) expect(await ask(port, 'elsewhere')).toBe('elsewhere');
    await second.process.event('stream', {}, { nth: 6 });
    expect(first.process.all('stream')).toEqual([]);
    expect(await ingress.process.event('detached')).toMatchObject({ reason: expect.stringContaining('PING') });

    const elsewhere = second.process.all('stream').length;
    const here = 1 + answers.length - (elsewhere - 5);
    network.flow();
    await ingress.process.event('connected', { egress: `127.0.0.1:${network.port}`, resumed: true }, { ms: 60_000 });
    expect(String(await rest)).toBe('into the silence');
    for (const answer of answers) expect(await answer).toBe('anybody?');
    expect(await ask(port, 'at home again')).toBe('at home again');
    open.socket.end();
    expect((await within(30_000, 'the end', open.received)).ending).toBe('end');
    await first.process.event('stream', {}, { nth: here });
    expect(second.process.all('stream')).toHaveLength(elsewhere);
    expect(ingress.process.all('connected').map(({ resumed }) => resumed)).toEqual([false, false, true]);
  },
  300_000,
);

import { setImmediate } from 'node:timers';
import { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Race, staggerMs } from './race.ts';

type Outcome = 'connects' | 'fails' | 'closes' | 'throws' | 'hangs';
interface End {
  readonly won?: string;
  readonly lost?: readonly string[];
}

/** Runs a race over sockets that end as told; `started` holds when each was made. */
function run(outcomes: readonly Outcome[]): {
  readonly end: Promise<End>;
  readonly sockets: Map<string, Socket>;
  readonly started: Map<string, number>;
  readonly race: Race;
} {
  const sockets = new Map<string, Socket>();
  const started = new Map<string, number>();
  let race!: Race;
  const end = new Promise<End>((resolve) => {
    race = new Race(
      outcomes.map((_, at) => String(at)),
      {
        port: 1,
        connect: (address) => {
          const outcome = outcomes[Number(address)]!;
          started.set(address, performance.now());
          if (outcome === 'throws') throw new Error(address);
          const socket = new Socket();
          sockets.set(address, socket);
          if (outcome === 'connects') setImmediate(() => socket.emit('connect'));
          if (outcome === 'fails') setImmediate(() => socket.destroy(new Error(address)));
          if (outcome === 'closes') setImmediate(() => socket.destroy());
          return socket;
        },
        won: (_socket, address) => {
          resolve({ won: address });
        },
        lost: (attempts) => {
          resolve({ lost: attempts.map(({ address }) => address) });
        },
      },
    );
    race.start();
  });
  return { end, sockets, started, race };
}

describe('a race', () => {
  it('goes on at once when an attempt fails, and ends once, whatever fails', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom<Outcome>('connects', 'fails', 'closes', 'throws'), { maxLength: 6 }),
        async (outcomes) => {
          const { end, sockets } = run(outcomes);
          const winner = outcomes.indexOf('connects');
          expect(await end).toEqual(
            winner < 0 ? { lost: outcomes.map((_, at) => String(at)) } : { won: String(winner) },
          );
          for (const [address, socket] of sockets) expect(socket.destroyed).toBe(address !== String(winner));
          sockets.get(String(winner))?.destroy();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('starts the next attempt beside one that hangs after 250 ms, and destroys the loser', async () => {
    const { end, sockets, started } = run(['hangs', 'connects']);
    expect(await end).toEqual({ won: '1' });
    expect(started.get('1')! - started.get('0')!).toBeGreaterThanOrEqual(staggerMs - 5);
    expect(sockets.get('0')!.destroyed).toBe(true);
    const winner = sockets.get('1')!;
    expect(winner.destroyed).toBe(false);
    winner.destroy();
  });

  it('leaves the winner with an error listener and nothing else', async () => {
    const { end, sockets } = run(['connects']);
    await end;
    const winner = sockets.get('0')!;
    expect([winner.listenerCount('connect'), winner.listenerCount('close'), winner.listenerCount('error')]).toEqual([
      0, 0, 1,
    ]);
    const closed = new Promise((resolve) => {
      winner.once('close', resolve);
    });
    winner.destroy(new Error('nobody else listens'));
    await closed;
  });

  it('that is stopped destroys its sockets, starts no other, and reports nothing', async () => {
    const { end, sockets, started, race } = run(['hangs', 'connects']);
    race.stop();
    expect(sockets.get('0')!.destroyed).toBe(true);
    const silence = new Promise((resolve) => {
      setTimeout(resolve, staggerMs + 50, 'nothing');
    });
    expect(await Promise.race([end, silence])).toBe('nothing');
    expect([...started.keys()]).toEqual(['0']);
  });
});

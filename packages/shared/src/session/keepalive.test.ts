import { expect, test } from '@jest/globals';
import { Keepalive } from './keepalive.ts';

function keepalive(options: { pingAfterMs: number; deadAfterMs: number }) {
  let pings = 0;
  let say!: (reason: string) => void;
  const dead = new Promise<string>((resolve) => {
    say = resolve;
  });
  const one = new Keepalive(options, {
    ping: () => {
      pings++;
    },
    dead: say,
  });
  const hold = setInterval(() => {}, 1_000); // its own timers never keep the process alive
  return {
    one,
    dead: dead.finally(() => {
      clearInterval(hold);
      one.stop();
    }),
    pings: () => pings,
    done: () => {
      clearInterval(hold);
      one.stop();
    },
  };
}

test('silence is asked about with one PING, and no answer is the end', async () => {
  const { one, dead, pings } = keepalive({ pingAfterMs: 1, deadAfterMs: 20 });
  one.start();
  expect(await dead).toBe('no answer to a PING within 0.02 s');
  expect(pings()).toBe(1);
});

test('a doubt asks at once, and any byte is an answer', async () => {
  const { one, pings, done, dead } = keepalive({ pingAfterMs: 60_000, deadAfterMs: 60_000 });
  one.start();
  one.doubt();
  one.doubt();
  expect(pings()).toBe(1);
  one.heard();
  one.doubt();
  expect(pings()).toBe(2);
  expect(await dead).toBe('no answer to a PING within 1.5 s');
  done();
});

test('without a carrier nothing is asked', () => {
  const { one, pings, done } = keepalive({ pingAfterMs: 1, deadAfterMs: 1 });
  one.doubt();
  expect(pings()).toBe(0);
  done();
});

test('the side that never asks counts the silence', async () => {
  const { one, dead, pings } = keepalive({ pingAfterMs: 0, deadAfterMs: 500 });
  one.start();
  expect(await dead).toMatch(/^nothing heard for \d+ s$/);
  expect(pings()).toBe(0);
});

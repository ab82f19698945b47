import { afterEach, expect, test } from '@jest/globals';
import { within } from '../../../../test/support/scope.ts';
import { ProxySilence } from './proxy-silence.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A proxy that answers when the test says so. */
function proxy() {
  let answer!: (rttMs: number) => void;
  let tell!: () => void;
  const told: string[] = [];
  const doubt = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const silence = new ProxySilence({
    ping: (answered) => {
      told.push('PING');
      answer = answered;
    },
    begins: () => {
      told.push('begins');
      tell();
    },
    ends: () => told.push('ends'),
  });
  const hold = setInterval(() => {}, 1_000); // its own timers never keep the process alive
  stops.push(() => {
    clearInterval(hold);
    silence.stop();
  });
  return { silence, told, doubted: within(30_000, 'the doubt', doubt), pong: (rttMs: number) => answer(rttMs) };
}

test('a PING about an unanswered CONNECT is a doubt, which the PONG ends while the proxy dials on', async () => {
  const { silence, told, doubted, pong } = proxy();
  silence.requested();
  expect([silence.doubted, silence.silent]).toEqual([false, false]);
  await doubted;
  expect([silence.doubted, told]).toEqual([true, ['PING', 'PING', 'begins']]);
  pong(1);
  expect([silence.doubted, silence.silent, told]).toEqual([false, false, ['PING', 'PING', 'begins', 'ends']]);
});

test('a request that nobody waits for any more does not end the doubt; the answer to another one does', async () => {
  const { silence, told, doubted } = proxy();
  silence.requested();
  silence.requested();
  await doubted;
  silence.settled(false);
  expect(silence.doubted).toBe(true);
  silence.settled(true);
  expect([silence.doubted, told]).toEqual([false, ['PING', 'PING', 'begins', 'ends']]);
});

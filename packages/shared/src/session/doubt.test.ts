import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { Silence } from '../protocol/mux/silence.ts';
import { within } from '../../../../test/support/scope.ts';
import { Doubt } from './doubt.ts';

const patienceMs = 30;
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

function watched() {
  const silence = new Silence();
  const debts = { unanswered: 0, answersInTime: false };
  const told: string[] = [];
  const waiting: (() => void)[] = [];
  const tell = (what: string): void => {
    told.push(what);
    for (const resolve of waiting.splice(0)) resolve();
  };
  const doubt = new Doubt(
    {
      silence,
      get unanswered() {
        return debts.unanswered;
      },
      patienceMs,
      get doubted() {
        return !debts.answersInTime && silence.lastsMs(performance.now()) >= patienceMs;
      },
      ping: () => {
        silence.ask(performance.now());
        tell('PING');
      },
    },
    { begins: () => tell('begins'), ends: () => tell('ends') },
  );
  const hold = setInterval(() => {}, 1_000); // its own timers never keep the process alive
  stops.push(() => {
    clearInterval(hold);
    doubt.stop();
  });
  const until = async (what: string): Promise<void> => {
    while (!told.includes(what))
      await within(
        30_000,
        what,
        new Promise<void>((resolve) => {
          waiting.push(resolve);
        }),
      );
  };
  return { doubt, silence, debts, told, until };
}

test('a peer that owes an answer for too long is asked once, and the doubt holds until it answers', async () => {
  const { doubt, silence, told, until } = watched();
  silence.begin(performance.now());
  doubt.watch();
  expect(doubt.holds).toBe(false);
  await until('begins');
  expect([doubt.holds, told]).toEqual([true, ['PING', 'begins']]);
  doubt.settle();
  doubt.watch();
  expect(doubt.holds).toBe(true);
  silence.restart(performance.now(), false);
  doubt.settle();
  expect([doubt.holds, told]).toEqual([false, ['PING', 'begins', 'ends']]);
});

test('a peer that answers in time and owes the next answer is neither doubted nor asked', async () => {
  const { doubt, silence, debts, told } = watched();
  debts.answersInTime = true;
  silence.begin(performance.now());
  doubt.watch();
  await delay(5 * patienceMs);
  expect([doubt.holds, told]).toEqual([false, []]);
});

test('an OPEN that stays unanswered is asked about again, without a doubt while the PINGs are answered', async () => {
  const { doubt, silence, debts, told, until } = watched();
  debts.unanswered = 1;
  doubt.watch();
  for (let n = 1; n <= 3; n++) {
    await until('PING');
    silence.restart(performance.now(), false);
    doubt.settle();
    told.length = 0;
  }
  expect(doubt.holds).toBe(false);
  await until('begins');
  expect(told).toEqual(['PING', 'PING', 'begins']);
});

test('a doubt that has ended can begin again', async () => {
  const { doubt, silence, told, until } = watched();
  silence.begin(performance.now());
  doubt.watch();
  await until('begins');
  told.length = 0;
  silence.restart(performance.now(), true);
  doubt.settle();
  await until('begins');
  expect(told).toEqual(['ends', 'PING', 'begins']);
});

test('it ends with the carrier, without a word', async () => {
  const { doubt, silence, told, until } = watched();
  silence.begin(performance.now());
  doubt.watch();
  await until('begins');
  doubt.stop();
  expect([doubt.holds, told]).toEqual([false, ['PING', 'begins']]);
  doubt.watch();
  doubt.stop();
  await delay(3 * patienceMs);
  expect(told).toEqual(['PING', 'begins']);
});

import { expect, test } from '@jest/globals';
import { attempt } from './attempt.ts';
import { Patience, slowest } from './patience.ts';

/** Patience of ten seconds on a clock of the test's own, and the connection that it watches. */
function simulated(): { patience: Patience; connection: { bytesRead: number }; pass(ms: number): void } {
  let nowMs = 5_000;
  const connection = { bytesRead: 0 };
  const patience = new Patience(10_000, () => nowMs);
  return {
    patience,
    connection,
    pass: (ms) => {
      nowMs += ms;
    },
  };
}

test('it is over after the time without a byte, and says so as a deadline does', () => {
  const { patience, pass } = simulated();
  pass(9_999);
  expect([patience.passed, patience.leftMs]).toEqual([false, 1]);
  pass(1);
  expect([patience.passed, patience.leftMs]).toEqual([true, 1]);
  expect(patience.missed('no answer')).toBe('no answer within 10 s');
});

test('every byte begins the time again, and so does a connection', () => {
  const { patience, connection, pass } = simulated();
  pass(8_000);
  patience.watch(connection);
  pass(8_000);
  connection.bytesRead++;
  expect([patience.passed, patience.leftMs]).toEqual([false, 10_000]);
  pass(10_000);
  expect(patience.passed).toBe(true);
  expect(patience.missed('no answer')).toBe('no answer: nothing arrived for 10 s');
});

test('bytes do not move the end of all', () => {
  const { patience, connection, pass } = simulated();
  patience.watch(connection);
  for (let second = 0; second < slowest * 10; second++) {
    expect(patience.passed).toBe(false);
    pass(1_000);
    connection.bytesRead += 1_000;
  }
  expect(patience.passed).toBe(true);
  expect(patience.missed('no answer')).toBe('no answer within 60 s');
});

test('bytes are looked for often, so that the end comes a tenth too late at most', () => {
  const { patience, pass } = simulated();
  expect(patience.nextLookMs).toBe(1_000);
  pass(9_700);
  expect(patience.nextLookMs).toBe(300);
});

test('an attempt goes on while bytes arrive, and ends when they stop', async () => {
  const connection = { bytesRead: 0 };
  const patience = new Patience(200);
  patience.watch(connection);
  const startedMs = performance.now();
  const arriving = setInterval(() => {
    connection.bytesRead++;
    if (performance.now() - startedMs > 500) clearInterval(arriving);
  }, 20);
  const failed = attempt<void>(
    { deadline: patience, timedOut: () => new Error(patience.missed('no answer')), giveUp: () => {} },
    () => {},
  );
  await expect(failed).rejects.toThrow('no answer: nothing arrived for 0.2 s');
  expect(performance.now() - startedMs).toBeGreaterThan(650);
});

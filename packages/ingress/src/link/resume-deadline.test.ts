import { expect, test } from '@jest/globals';
import { AditError } from '@adit/shared/errors';
import { ResumeDeadline } from './resume-deadline.ts';

const never = new AbortController().signal;
/** Ends only with its signal, as a dial into a silent network does. */
const hangs = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) =>
    signal.addEventListener('abort', () => reject(new AditError('EGRESS_UNREACHABLE', 'given up')), { once: true }),
  );
const late = (deadline: ResumeDeadline): Promise<unknown> =>
  deadline.hold(never, hangs).catch((error: unknown) => error);

test('an attempt that hangs is ended, the next has twice as long, and after a reset as long as the first', async () => {
  const deadline = new ResumeDeadline({ name: 'edge', maxMs: 60_000, firstMs: 4 });
  for (const ms of [4, 8, 16])
    expect(await late(deadline)).toMatchObject({
      code: 'LINK_TIMEOUT',
      message: `the egress edge did not take the session back within ${ms / 1_000} s`,
      cause: expect.objectContaining({ message: 'given up' }),
    });
  deadline.reset();
  expect(await late(deadline)).toMatchObject({ message: expect.stringContaining('within 0.004 s') });
});

test('deadlines of the attempt that are no longer than its own hold alone', async () => {
  const signals: AbortSignal[] = [];
  const deadline = new ResumeDeadline({ name: 'edge', maxMs: 3_000 });
  await deadline.hold(never, (signal) => Promise.resolve(signals.push(signal)));
  expect(signals).toEqual([never]);
});

test('an attempt that succeeds, fails or is aborted in time is passed on as it is', async () => {
  const deadline = new ResumeDeadline({ name: 'edge', maxMs: 60_000 });
  expect(await deadline.hold(never, () => Promise.resolve('resumed'))).toBe('resumed');
  await expect(deadline.hold(never, () => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  const stop = new AbortController();
  const held = deadline.hold(stop.signal, hangs);
  stop.abort();
  await expect(held).rejects.toThrow('given up');
});

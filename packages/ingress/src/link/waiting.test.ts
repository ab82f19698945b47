import { expect, test } from '@jest/globals';
import { AditError } from '@adit/shared/errors';
import { Waiting } from './waiting.ts';

test('gives the session to every connection that waits', async () => {
  const waiting = new Waiting<string>({ timeoutMs: 60_000, maxWaiting: 3 });
  const both = Promise.all([waiting.wait(() => ({ reason: '' })), waiting.wait(() => ({ reason: '' }))]);
  waiting.give('session');
  expect(await both).toEqual(['session', 'session']);
  expect(waiting.size).toBe(0);
});

test('after the timeout, the error states the reason', async () => {
  const waiting = new Waiting<string>({ timeoutMs: 10, maxWaiting: 3 });
  await expect(waiting.wait(() => ({ reason: 'the egress is down', advice: 'Start it.' }))).rejects.toMatchObject({
    code: 'EGRESS_UNREACHABLE',
    message: 'no session within 0.01 s: the egress is down',
    advice: 'Start it.',
  });
  expect(waiting.size).toBe(0);
});

test('refuses a connection at once when too many wait', async () => {
  const waiting = new Waiting<string>({ timeoutMs: 60_000, maxWaiting: 1 });
  const first = waiting.wait(() => ({ reason: '' }));
  await expect(waiting.wait(() => ({ reason: 'down' }))).rejects.toMatchObject({
    message: '1 connections are already waiting for the egress: down',
  });
  waiting.fail(new AditError('EGRESS_UNREACHABLE', 'the ingress stops'));
  await expect(first).rejects.toThrow('the ingress stops');
});

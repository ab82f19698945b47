import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { Deadline } from '@adit/shared/net/deadline';
import { QueueFull } from './look-ups.ts';
import { judgedAddresses, type Permit } from './judged.ts';

const permit = (address: string): Permit =>
  address.startsWith('10.')
    ? { allow: false, code: 'ADDRESS_PROHIBITED', reason: 'no', detail: address }
    : { allow: true, rule: `r ${address}` };
const of = (host: string, more: Partial<Parameters<typeof judgedAddresses>[0]> = {}) =>
  judgedAddresses({ host, port: 1, deadline: new Deadline(10_000), permit, ...more });
const never = () =>
  new Promise<readonly string[]>(() => {
    /* the resolver does not answer */
  });

describe('the addresses that may be reached', () => {
  it('are those that the judge lets pass, in the order of the resolver', async () => {
    expect(
      await of('a.example', {
        resolve: () => Promise.resolve(['10.0.0.1', '8.8.8.8', '10.0.0.2', '9.9.9.9', '8.8.8.8']),
      }),
    ).toEqual([
      { address: '8.8.8.8', rule: 'r 8.8.8.8' },
      { address: '9.9.9.9', rule: 'r 9.9.9.9' },
    ]);
    expect(await of('8.8.8.8', { resolve: never })).toEqual([{ address: '8.8.8.8', rule: 'r 8.8.8.8' }]);
  });

  it('are none where the judge refuses all, the resolver fails or is late, or the signal is aborted', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    await expect(
      of('a.example', { signal, resolve: () => Promise.resolve(['10.0.0.1', '10.0.0.2']) }),
    ).rejects.toMatchObject({ code: 'ADDRESS_PROHIBITED', cause: { message: '10.0.0.1; 10.0.0.2' } });
    await expect(of('a.example', { signal, resolve: () => Promise.resolve([]) })).rejects.toMatchObject({
      code: 'DNS_FAILED',
    });
    await expect(
      of('a.example', { signal, resolve: () => Promise.reject(new Error('ENOTFOUND')) }),
    ).rejects.toMatchObject({ code: 'DNS_FAILED', cause: { message: 'ENOTFOUND' } });
    await expect(of('a.example', { signal, resolve: never, deadline: new Deadline(10) })).rejects.toMatchObject({
      code: 'DNS_TIMEOUT',
    });
    const waiting = of('a.example', { signal, resolve: never });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'PEER_GONE' });
    await expect(of('a.example', { signal, resolve: never })).rejects.toMatchObject({ code: 'PEER_GONE' });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('are none where the queue is full: OVERLOAD, and no word of who else waits', async () => {
    const full = new QueueFull('2048 of 16384 names wait for mallory');
    await expect(of('a.example', { resolve: () => Promise.reject(full) })).rejects.toMatchObject({
      code: 'OVERLOAD',
      message: 'a.example:1 was not resolved: too many names wait for the resolver of the egress.',
      cause: full,
    });
  });

  it('are not waited for any more when the deadline passes or the signal is aborted, and the queue knows', async () => {
    const gone: boolean[] = [];
    const resolve = (_host: string, signal: AbortSignal): Promise<readonly string[]> => {
      signal.addEventListener('abort', () => gone.push(true));
      return never();
    };
    await expect(of('a.example', { resolve, deadline: new Deadline(10) })).rejects.toMatchObject({
      code: 'DNS_TIMEOUT',
    });
    await expect(of('a.example', { resolve, signal: AbortSignal.timeout(10) })).rejects.toMatchObject({
      code: 'PEER_GONE',
    });
    expect(gone).toEqual([true, true]);
  });

  it.each(['a.example', '8.8.8.8'])('are none where the judge throws: INTERNAL for %s', async (host) => {
    const broken = new TypeError('broken');
    await expect(
      of(host, {
        resolve: () => Promise.resolve(['8.8.8.8']),
        permit: () => {
          throw broken;
        },
      }),
    ).rejects.toMatchObject({ code: 'INTERNAL', message: expect.stringContaining('was not dialled'), cause: broken });
  });

  it('are none where the resolver throws instead of answering', async () => {
    await expect(
      of('a.example', {
        resolve: () => {
          throw new Error('no resolver');
        },
      }),
    ).rejects.toMatchObject({ code: 'DNS_FAILED', cause: { message: 'no resolver' } });
  });
});

import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { Permit } from './dial.ts';
import { judgedAddresses } from './judged.ts';

const permit = (address: string): Permit =>
  address.startsWith('10.')
    ? { allow: false, code: 'ADDRESS_PROHIBITED', reason: 'no', detail: address }
    : { allow: true, rule: `r ${address}` };
const of = (host: string, more: Partial<Parameters<typeof judgedAddresses>[0]> = {}) =>
  judgedAddresses({ host, port: 1, timeoutMs: 10_000, permit, ...more });
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

  it('are none where the judge refuses all, the resolver fails or is late, or nobody waits', async () => {
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
    await expect(of('a.example', { signal, resolve: never, timeoutMs: 10 })).rejects.toMatchObject({
      code: 'DNS_TIMEOUT',
    });
    const waiting = of('a.example', { signal, resolve: never });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'PEER_GONE' });
    await expect(of('a.example', { signal, resolve: never })).rejects.toMatchObject({ code: 'PEER_GONE' });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

import { expect, test } from '@jest/globals';
import { watchNetwork } from './network-watch.ts';

const address = (ip: string) => [
  { address: ip, netmask: '', family: 'IPv4' as const, mac: '', internal: false, cidr: null },
];

test('reports each change of an address once', async () => {
  let now: Record<string, ReturnType<typeof address>> = { eth0: address('192.0.2.1') };
  const stop = new AbortController();
  let looks = 0;
  let changes = 0;
  await new Promise<void>((resolve) => {
    watchNetwork(
      () => {
        changes++;
      },
      stop.signal,
      {
        everyMs: 1,
        interfaces: () => {
          looks++;
          if (looks === 3) now = { eth0: address('192.0.2.2') };
          if (looks === 10) resolve();
          return now;
        },
      },
    );
  });
  stop.abort();
  expect(changes).toBe(1);
});

test('goes on after the system failed to list its interfaces', async () => {
  const stop = new AbortController();
  let looks = 0;
  let changes = 0;
  await new Promise<void>((resolve) => {
    watchNetwork(
      () => {
        changes++;
      },
      stop.signal,
      {
        everyMs: 1,
        interfaces: () => {
          if (++looks === 3) resolve();
          throw new Error('EMFILE');
        },
      },
    );
  });
  stop.abort();
  expect(changes).toBe(0);
});

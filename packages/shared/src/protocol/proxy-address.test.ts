import { expect, test } from '@jest/globals';
import { formatProxy } from './proxy-address.ts';

test('a proxy is shown without its user and password', () => {
  expect(
    formatProxy({
      scheme: 'https',
      host: 'proxy.example.org',
      port: 8080,
      credentials: { user: 'alice', password: 'hunter2' },
    }),
  ).toBe('https://proxy.example.org:8080');
  expect(formatProxy({ scheme: 'socks5', host: 'fd00::1', port: 1080 })).toBe('socks5://[fd00::1]:1080');
});

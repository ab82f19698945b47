import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { anyUrl } from '../../../../../test/support/characters.ts';
import { parseProxy, parseProxyUrl, withoutPassword } from './proxy-url.ts';

const reasonOf = (text: string): string => {
  const result = parseProxyUrl(text);
  return result.ok ? `read as ${JSON.stringify(result.value)}` : result.reason;
};

describe('the URL of a proxy', () => {
  test.each([
    ['http://proxy.example.org:3128', { scheme: 'http', host: 'proxy.example.org', port: 3128 }],
    ['http://proxy.example.org', { scheme: 'http', host: 'proxy.example.org', port: 80 }],
    ['https://proxy.example.org/', { scheme: 'https', host: 'proxy.example.org', port: 443 }],
    ['SOCKS5://Proxy.Example.Org', { scheme: 'socks5', host: 'proxy.example.org', port: 1080 }],
    ['socks5h://10.0.0.1:9050', { scheme: 'socks5', host: '10.0.0.1', port: 9050 }],
    ['http://[fd00::1]:3128', { scheme: 'http', host: 'fd00::1', port: 3128 }],
    ['http://[fd00::1]', { scheme: 'http', host: 'fd00::1', port: 80 }],
    ['proxy.example.org:3128', { scheme: 'http', host: 'proxy.example.org', port: 3128 }],
    ['proxy', { scheme: 'http', host: 'proxy', port: 80 }],
    [
      'http://alice:s3cret@proxy:3128',
      { scheme: 'http', host: 'proxy', port: 3128, credentials: { user: 'alice', password: 's3cret' } },
    ],
    [
      'http://CORP%5Calice:p%40ss%3A%2Fw%C3%B6rd@proxy:3128',
      { scheme: 'http', host: 'proxy', port: 3128, credentials: { user: 'CORP\\alice', password: 'p@ss:/wörd' } },
    ],
    [
      'http://alice:p@ss:word@proxy:3128',
      { scheme: 'http', host: 'proxy', port: 3128, credentials: { user: 'alice', password: 'p@ss:word' } },
    ],
    [
      'http://alice@proxy:3128',
      { scheme: 'http', host: 'proxy', port: 3128, credentials: { user: 'alice', password: '' } },
    ],
    [
      'alice:s3cret@proxy:3128',
      { scheme: 'http', host: 'proxy', port: 3128, credentials: { user: 'alice', password: 's3cret' } },
    ],
    [
      'socks5://a%3Ab:c@proxy',
      { scheme: 'socks5', host: 'proxy', port: 1080, credentials: { user: 'a:b', password: 'c' } },
    ],
  ])('%s', (text, value) => {
    expect(parseProxyUrl(text)).toEqual({ ok: true, value });
  });

  test.each([
    [
      'socks4://proxy:1080',
      'socks4 is not the scheme of a proxy: write http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT',
    ],
    [
      'ftp://alice:hunter2@proxy',
      'ftp is not the scheme of a proxy: write http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT',
    ],
    ['http://', 'the host is missing'],
    ['http://alice:hunter2@', 'the host is missing'],
    ['http://alice:hunter2@:3128', 'the host is missing'],
    ['', 'the host is missing'],
    ['http://proxy:0', 'the port is not a number from 1 to 65535'],
    ['http://proxy:', 'the port is missing'],
    ['http://alice:hunter2@proxy:99999', 'the port is not a number from 1 to 65535'],
    [
      'http://proxy:3128/path',
      'the URL of a proxy ends after its port; in a user or password write "/" as %2F, "?" as %3F, "#" as %23',
    ],
    [
      'http://alice:a/hunter2',
      'the URL of a proxy ends after its port; in a user or password write "/" as %2F, "?" as %3F, "#" as %23',
    ],
    [
      'http://alice:hunter2%@proxy',
      'the user or password has a "%" that is not followed by two hexadecimal digits of UTF-8: write "%" as %25',
    ],
    [
      'http://alice:%ff@proxy',
      'the user or password has a "%" that is not followed by two hexadecimal digits of UTF-8: write "%" as %25',
    ],
    ['http://:hunter2@proxy', 'the user is missing before the "@"'],
    ['http://a%0d%0ab:hunter2@proxy', 'the user or password has a control character'],
    ['http://a%3Ab:hunter2@proxy', 'the user of an HTTP proxy cannot have a colon (RFC 7617)'],
    [`socks5://alice:${'x'.repeat(256)}@proxy`, 'the user or password is longer than 255 bytes'],
    ['http://fd00::1:3128', 'the port is missing: write [ADDRESS]:PORT'],
    [
      'http://2130706433',
      'the host looks like an address but is not one: write IPv4 as four decimal numbers without leading zeros',
    ],
  ])('%s is refused with a reason that shows no password', (text, reason) => {
    expect(reasonOf(text)).toBe(reason);
    expect(reason).not.toContain('hunter2');
  });

  test('may be the word none', () => expect(parseProxy('None')).toEqual({ ok: true, value: 'none' }));

  test('is never a reason to throw, and what is read has a host and a port', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), anyUrl('http', 'https'), fc.string({ unit: fc.constantFrom(...'htps5:/@%2f[]#?a.1\n') })),
        (text) => {
          const result = parseProxyUrl(text);
          if (result.ok) expect([result.value.host.length > 0, result.value.port > 0]).toEqual([true, true]);
          else expect(result.reason.length).toBeGreaterThan(10);
        },
      ),
      { numRuns: 500 },
    );
  });
});

test.each([
  ['http://alice:hunter2@proxy:3128', 'http://***@proxy:3128'],
  ['alice:hunter2@proxy', '***@proxy'],
  ['socks5://a:b@c:hunter2@proxy', 'socks5://***@proxy'],
  ['http://proxy:3128', 'http://proxy:3128'],
  ['ftp://alice:hunter2\n@proxy', 'ftp://***@proxy'],
])('%j is shown as %j', (text, shown) => {
  expect(withoutPassword(text)).toBe(shown);
});

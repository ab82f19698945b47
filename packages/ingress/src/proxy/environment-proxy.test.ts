import { expect, test } from '@jest/globals';
import { proxyOfEnvironment } from './environment-proxy.ts';

const at = (host: string, port = 3128): object => ({ scheme: 'http', host, port });

test.each([
  [{}, undefined],
  [{ HTTPS_PROXY: '' }, undefined],
  [{ HTTP_PROXY: 'http://a:3128' }, undefined],
  [{ HTTPS_PROXY: 'http://a:3128' }, { proxy: at('a'), except: '' }],
  [
    { HTTPS_PROXY: 'http://a:3128', https_proxy: 'http://b:3128' },
    { proxy: at('b'), except: '' },
  ],
  [
    { ALL_PROXY: 'http://a:3128', HTTPS_PROXY: 'http://b:3128' },
    { proxy: at('b'), except: '' },
  ],
  [
    { all_proxy: 'a:3128', https_proxy: '' },
    { proxy: at('a'), except: '' },
  ],
  [
    { ALL_PROXY: 'a:3128', NO_PROXY: '.example.org' },
    { proxy: at('a'), except: '.example.org' },
  ],
  [
    { ALL_PROXY: 'a:3128', NO_PROXY: '.example.org', no_proxy: '' },
    { proxy: at('a'), except: '' },
  ],
])('%j', (environment, proxy) => {
  expect(proxyOfEnvironment(environment)).toEqual(proxy);
});

test('a URL that cannot be used stops the start, and the error shows no password', () => {
  expect(() => proxyOfEnvironment({ HTTPS_PROXY: 'ftp://alice:hunter2@proxy' })).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message:
        'HTTPS_PROXY "ftp://***@proxy": ftp is not the scheme of a proxy: write http://HOST:PORT, https://HOST:PORT ' +
        'or socks5://HOST:PORT; "--proxy none" ignores it',
    }),
  );
});

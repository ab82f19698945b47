import { describe, expect, test } from '@jest/globals';
import { resolveIngressOptions } from '../options.ts';

const flags = { egress: ['tunnel.example.org:8443'], cert: ['alice.crt'], key: ['alice.key'], ca: ['ca.crt'] };

describe('a proxy', () => {
  const resolve = (
    more: Record<string, string[]>,
    environment: Record<string, string> = {},
  ): ReturnType<typeof resolveIngressOptions> =>
    resolveIngressOptions({ flags: { ...flags, forward: ['8080:web'], ...more }, environment });
  const corporate = { scheme: 'http', host: 'proxy.example.org', port: 3128 };

  test('comes from its flag or its variable', () => {
    expect(resolve({ proxy: ['http://proxy.example.org:3128'] })).toMatchObject({ proxy: corporate });
    expect(resolve({ proxy: ['none'] })).toMatchObject({ proxy: 'none' });
    expect(resolve({}, { ADIT_PROXY: 'socks5://alice:hunter2@proxy.example.org:3128' })).toMatchObject({
      proxy: { ...corporate, scheme: 'socks5', credentials: { user: 'alice', password: 'hunter2' } },
    });
  });

  test.each([
    [
      { proxy: ['http://alice:hunter2@proxy.example.org:3128'] },
      'USAGE',
      /^--proxy: every user of this machine can read a password on the command line; .* --proxy-file/,
    ],
    [
      { proxy: ['ftp://alice:hunter2@proxy'] },
      'CONFIG_INVALID',
      /^--proxy "ftp:\/\/\*\*\*@proxy": ftp is not the scheme of a proxy/,
    ],
    [
      { proxy: ['http://proxy'], proxyFile: ['p'] },
      'CONFIG_INVALID',
      /^--proxy and --proxy-file both name a proxy: keep one$/,
    ],
    [{ proxyKey: ['k'] }, 'CONFIG_INVALID', /^--proxy-cert and --proxy-key belong together: --proxy-cert is missing$/],
    [{ proxyCert: ['c'] }, 'CONFIG_INVALID', /--proxy-key is missing$/],
  ])('is refused where it is wrong, without its password: %j', (more, code, message) => {
    const attempt = (): unknown => resolve(more);
    expect(attempt).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
    expect(attempt).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }));
  });
});

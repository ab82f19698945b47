import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/scope.ts';
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

  test('with a password may stand in a configuration file of mode 0600 only', () => {
    const config = join(temporaryFolder(), 'adit.yaml');
    writeFileSync(config, 'proxy: http://alice:hunter2@proxy.example.org:3128\n', { mode: 0o600 });
    expect(resolve({ config: [config] })).toMatchObject({ proxy: { credentials: { user: 'alice' } } });

    chmodSync(config, 0o644);
    expect(() => resolve({ config: [config] })).toThrow(
      `${config}:1:1: proxy holds a credential, and the file has mode 0644, so others may read it`,
    );
  });

  test.each([
    [
      { proxy: ['http://alice:hunter2@proxy.example.org:3128'] },
      'USAGE',
      /^--proxy: every user of this machine can read a credential on the command line; .* --proxy-file/,
    ],
    [
      { proxy: ['ftp://alice:hunter2@proxy'] },
      'CONFIG_INVALID',
      /\n--proxy "ftp:\/\/\*\*\*@proxy": ftp is not the scheme of a proxy/,
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

describe('a header', () => {
  const resolve = (
    header: string,
    environment: Record<string, string> = {},
  ): ReturnType<typeof resolveIngressOptions> =>
    resolveIngressOptions({
      flags: { ...flags, forward: ['8080:web'], ...(header !== '' && { header: [header] }) },
      environment,
    });

  test('with a credential is refused on the command line, and taken from the environment', () => {
    expect(() => resolve('Authorization: Bearer hunter2')).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: expect.stringMatching(
          /^--header: every user of this machine can read .* --header-file, .*ADIT_HEADER/,
        ),
      }),
    );
    expect(resolve('', { ADIT_HEADER: 'Authorization: Bearer hunter2' }).headers).toEqual([
      { name: 'Authorization', value: 'Bearer hunter2' },
    ]);
  });

  test('without one is taken from the command line', () => {
    expect(resolve('X-Adit-Client: laptop-7').headers).toEqual([{ name: 'X-Adit-Client', value: 'laptop-7' }]);
  });

  test('that is wrong is not quoted with its value', () => {
    expect(() => resolve('', { ADIT_HEADER: 'Cookie: hunter2\u0000' })).toThrow(
      expect.objectContaining({ message: 'ADIT_HEADER "Cookie: ***": not a header: write "Name: value"' }),
    );
  });
});

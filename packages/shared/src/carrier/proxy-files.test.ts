import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { certificates } from '../../../../test/support/certificates.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { loadClientTls, readProxyFile } from './proxy-files.ts';

function file(text: string, mode = 0o600): string {
  const path = join(temporaryFolder(), 'proxy');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

test('a file holds one line with the URL of a proxy', () =>
  expect(readProxyFile(file('https://alice:hunter2@proxy.example.org\n'))).toEqual({
    scheme: 'https',
    host: 'proxy.example.org',
    port: 443,
    credentials: { user: 'alice', password: 'hunter2' },
  }));

test.each([
  [
    'http://alice:hunter2@proxy',
    0o644,
    /^The proxy file .* has mode 0644, so others may use it: run "chmod 600 .*"\.$/,
  ],
  ['ftp://alice:hunter2@proxy', 0o600, /^The proxy file .* is unusable: /],
  ['', 0o600, /unusable: the host is missing/],
  ['http://a\nhttp://b', 0o600, /unusable: it holds more than one line/],
])('a file that holds %j with mode %d is refused, without showing the password', (text, mode, message) => {
  const path = file(text, mode);
  expect(() => readProxyFile(path)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) }),
  );
  expect(() => readProxyFile(path)).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
  );
});

test('a file that is missing is named', () =>
  expect(() => readProxyFile('/nowhere/proxy')).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('/nowhere/proxy') }),
  ));

test('the CA and the certificate are loaded as far as they are named', () => {
  const certs = certificates();
  const { cert, key } = certs.client('alice');
  expect(loadClientTls({})).toEqual({});
  expect(loadClientTls({ ca: certs.ca, cert, key })).toMatchObject({
    ca: { pem: expect.any(Array) },
    client: { certPem: expect.any(String) },
  });
  expect(() => loadClientTls({ cert, key: cert })).toThrow(expect.objectContaining({ code: 'CREDENTIALS_UNUSABLE' }));
});

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { certificates } from '../../../../test/support/certificates.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { loadProxies, proxyFiles } from './proxies.ts';

const egress = { host: 'tunnel.example.org', port: 8443 };
const proxy = { scheme: 'http', host: 'proxy.example.org', port: 3128 } as const;

function file(text: string, mode = 0o600): string {
  const path = join(temporaryFolder(), 'proxy');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

test('the proxy is none, that of the option, or that of the file', () => {
  expect(loadProxies({})(egress)).toBeUndefined();
  expect(loadProxies({ proxy })(egress)).toEqual(proxy);
  expect(loadProxies({ proxyFile: file('https://alice:hunter2@proxy.example.org\n') })(egress)).toEqual({
    scheme: 'https',
    host: 'proxy.example.org',
    port: 443,
    credentials: { user: 'alice', password: 'hunter2' },
  });
});

test('the proxy of the environment serves egresses that NO_PROXY does not name; "none" turns it off', () => {
  const environmentProxy = { proxy, except: '.internal' };
  const proxyFor = loadProxies({ environmentProxy });
  expect([proxyFor(egress), proxyFor({ host: 'edge.internal', port: 8443 })]).toEqual([proxy, undefined]);
  expect(loadProxies({ proxy: 'none', environmentProxy, proxyFile: '/nowhere' })(egress)).toBeUndefined();
});

test('an https proxy gets its CA and our certificate for it', () => {
  const certs = certificates();
  const { cert, key } = certs.client('alice');
  const options = { proxy, proxyCa: certs.ca, proxyCert: cert, proxyKey: key };
  expect(loadProxies(options)(egress)).toMatchObject({
    ...proxy,
    ca: { pem: expect.any(Array) },
    client: { certPem: expect.any(String) },
  });
  expect(proxyFiles({ ...options, proxyFile: 'f' })).toEqual(['f', certs.ca, cert, key]);
});

test('a file that others may read is refused, and one that is missing is named', () => {
  expect(() => loadProxies({ proxyFile: file('http://alice:hunter2@proxy', 0o644) })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(/has mode 0644/) }),
  );
  expect(() => loadProxies({ proxyFile: '/nowhere/proxy' })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('/nowhere/proxy') }),
  );
});

import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { farAddress } from './link/far-address.ts';
import { type Pki, makePki } from './pki.ts';
import { run } from './process/child.ts';

let folder: string;
let pki: Pki;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'adit-bench-test-'));
  pki = await makePki(join(folder, 'pki'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test.each([
  ['server', 'sslserver'],
  ['client', 'sslclient'],
] as const)('openssl accepts the %s certificate strictly, for its purpose only', async (half, purpose) => {
  const verify = (as: string) =>
    run(['openssl', 'verify', '-x509_strict', '-purpose', as, '-CAfile', pki.ca, pki[half].cert], {
      timeoutMs: 10_000,
    });
  expect((await verify(purpose)).status).toBe(0);
  expect((await verify(purpose === 'sslserver' ? 'sslclient' : 'sslserver')).status).not.toBe(0);
});
test('the certificates carry the names that the pairs check', () => {
  const names = (file: string): string | undefined => new X509Certificate(readFileSync(file)).subjectAltName;
  expect(names(pki.server.cert)).toBe(`DNS:localhost, IP Address:127.0.0.1, IP Address:${farAddress}`);
  expect(names(pki.client.cert)).toBe('URI:spiffe://bench.test/client/alice');
});
test('the keys are for their owner alone', () => {
  for (const { key, pem } of [pki.server, pki.client])
    expect([key, pem].map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600]);
});

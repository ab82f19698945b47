import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { certificates } from '../../../test/support/certificates.ts';
import { day } from '../../../test/support/issuer.ts';
import { checkIngressFiles, loadIngressFiles, namedParts } from './files.ts';
import { type IngressOptions, resolveIngressOptions } from './options.ts';

const files = certificates();
const alice = files.client('alice');

function optionsOf(more: Record<string, string[]> = {}): IngressOptions {
  const flags = { egress: ['h:1'], cert: [alice.cert], key: [alice.key], ca: [files.ca], forward: ['0:web'], ...more };
  return resolveIngressOptions({ flags, environment: {} });
}

test('a revocation list that is out of date is refused by --check and loaded by a start', () => {
  const list = files.revoke({ thisUpdate: new Date(Date.now() - 2 * day), nextUpdate: new Date(Date.now() - day) });
  const options = optionsOf({ crl: [list] });
  expect(() => checkIngressFiles(options)).toThrow(expect.objectContaining({ code: 'REVOCATION_STALE' }));
  expect(loadIngressFiles(options).revocation?.isStale(new Date())).toBe(true);
  files.revoke({});
  expect(() => checkIngressFiles(options)).not.toThrow();
});

test('the parts are those for which there is a file', () => {
  const auth = join(files.folder, 'users');
  writeFileSync(auth, 'bob:secret\n', { mode: 0o600 });
  const names = (options: IngressOptions): unknown[] =>
    namedParts(options).map((part) => [part.what, part.files(options).length]);
  expect(names(optionsOf())).toEqual([['certificates', 3]]);
  const { cert, key } = files.egress;
  const more = { socks: ['0'], socksAuthFile: [auth], tlsListen: ['0:web'], tlsCert: [cert], tlsKey: [key] };
  expect(names(optionsOf({ ...more, proxy: ['https://proxy:1'], proxyCa: [files.ca] }))).toEqual([
    ['certificates', 3],
    ['proxy', 1],
    ['users', 1],
    ['local certificates', 2],
  ]);
  expect(loadIngressFiles(optionsOf(more)).shown.map(({ what }) => what)).toEqual([
    `certificate of --tls-cert ${cert}`,
  ]);
});

test.each([
  ['--tls-key', { tlsListen: ['0:web'], tlsCert: [files.egress.cert], tlsKey: [alice.key] }],
  ['--proxy-key', { proxy: ['https://proxy:1'], proxyCert: [alice.cert], proxyKey: [files.egress.key] }],
])('a key that does not fit is advised upon by its own option: %s', (option, more) => {
  expect(() => checkIngressFiles(optionsOf(more))).toThrow(
    expect.objectContaining({ code: 'CREDENTIALS_UNUSABLE', advice: expect.stringContaining(option) }),
  );
});

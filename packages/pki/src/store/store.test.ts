import { chmodSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import type { Code } from '@adit/shared/errors';
import { loadCredentials } from '@adit/shared/identity/credentials';
import { parseRevocationList } from '@adit/shared/identity/revocation';
import { parseTrustAnchors } from '@adit/shared/identity/trust';
import { openssl } from '../../../../test/support/openssl.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { newPrivateKey } from '../private-key.ts';
import { createRequest, readRequest } from '../request.ts';
import { filesOf, initAuthority } from './folder.ts';
import { openStore, type Store } from './store.ts';

let root: string;
let folder: string;
let out: string;
let store: Store;
beforeEach(async () => {
  root = temporaryFolder();
  [folder, out] = [join(root, 'ca'), join(root, 'out')];
  await initAuthority(folder, { trustDomain: 'example.org' });
  store = openStore(folder);
});
const fails = (code: Code): unknown => expect.objectContaining({ code });
const listNow = () =>
  parseRevocationList(readFileSync(store.revocationListFile), parseTrustAnchors(store.caPem, 'ca.crt'));

test('what it issues is what ingress and egress take', async () => {
  await store.issueClient({ name: 'alice', groups: ['dev'] }, { out });
  await store.issueEgress({ name: 'edge', hosts: ['localhost', '::1'] }, { out });
  expect(
    loadCredentials({ cert: join(out, 'alice.crt'), key: join(out, 'alice.key'), role: 'client' }).summary,
  ).toContain('spiffe://example.org/client/alice');
  expect(
    loadCredentials({ cert: join(out, 'edge.crt'), key: join(out, 'edge.key'), role: 'egress' }).leaf.subjectAltName,
  ).toContain('DNS:localhost');
  expect(store.list().map(({ name, kind, groups, hosts, state }) => ({ name, kind, groups, hosts, state }))).toEqual([
    { name: 'alice', kind: 'client', groups: ['dev'], hosts: undefined, state: 'valid' },
    { name: 'edge', kind: 'egress', groups: undefined, hosts: ['localhost', '::1'], state: 'valid' },
  ]);
  expect(store.trustDomain).toBe('example.org');
});
test('a key of the CA that others may read is not used', async () => {
  chmodSync(filesOf(folder).key, 0o644);
  await expect(openStore(folder).issueClient({ name: 'alice' })).rejects.toMatchObject({
    code: 'FILE_UNREADABLE',
    message: expect.stringMatching(/^The CA key .*ca\.key has mode 0644, so others may use it: run "chmod 600 /),
  });
});
test('without `out` it writes nothing but the register', async () => {
  const { keyPem, certificate, files } = await store.issueClient({ name: 'alice' });
  expect(keyPem).toContain('PRIVATE KEY');
  expect(certificate.subject).toBe('CN=alice');
  expect(files).toEqual([]);
  expect(readdirSync(root)).toEqual(['ca']);
});
test('what is refused is not recorded', async () => {
  writeFileSync(join(root, 'bob.key'), 'old');
  await expect(store.issueClient({ name: 'bob' }, { out: root })).rejects.toThrow(fails('FILE_EXISTS'));
  await expect(store.issueClient({ name: '../bob' }, { out })).rejects.toThrow(fails('NAME_INVALID'));
  await expect(store.issueClient({ name: 'bob' }, { out, days: 0 })).rejects.toThrow(fails('USAGE'));
  await expect(
    store.issueClient({ name: 'bob' }, { out, p12: { file: join(root, 'b.p12'), password: '' } }),
  ).rejects.toThrow(fails('USAGE'));
  expect(store.list()).toEqual([]);
  expect(readdirSync(out)).toEqual([]);
});
test('a renewal replaces the files, and the certificate before stays valid', async () => {
  const first = await store.issueClient({ name: 'alice', groups: ['dev'] }, { out });
  await expect(store.issueClient({ name: 'alice' }, { out: join(root, 'other') })).rejects.toThrow(fails('NAME_TAKEN'));
  const second = await store.issueClient({ name: 'alice' }, { out, renew: true });
  expect(second.subject).toMatchObject({ groups: ['dev'] });
  expect(
    loadCredentials({ cert: join(out, 'alice.crt'), key: join(out, 'alice.key'), role: 'client' }).summary,
  ).toContain(second.serial);
  expect(store.list().map(({ serial, state }) => [serial, state])).toEqual([
    [first.serial, 'valid'],
    [second.serial, 'valid'],
  ]);
});
test('a request gets the names of the command and no key', async () => {
  const key = newPrivateKey();
  const issued = await store.issueClient(
    { name: 'carol' },
    { out, request: readRequest(Buffer.from(createRequest('root', key)), 'x') },
  );
  expect(issued.keyPem).toBeUndefined();
  expect(issued.certificate.subject).toBe('CN=carol');
  expect(issued.certificate.checkPrivateKey(key)).toBe(true);
  expect(readdirSync(out).sort()).toEqual(['ca.crt', 'carol.crt']);
});
test('PKCS#12 comes with it', async () => {
  await store.issueClient({ name: 'alice' }, { out, p12: { file: join(root, 'a.p12'), password: 'secret' } });
  expect(await openssl(['pkcs12', '-in', join(root, 'a.p12'), '-passin', 'pass:secret', '-nokeys'])).toContain(
    'CN = alice',
  );
});
test('revoking writes the list at once, with all certificates of the name', async () => {
  const [first, second] = [
    await store.issueClient({ name: 'alice' }),
    await store.issueClient({ name: 'alice' }, { renew: true }),
  ];
  const bob = await store.issueClient({ name: 'bob' });
  const { newly } = await store.revoke('alice', { reason: 'keyCompromise' });
  expect(newly.map(({ serial }) => serial)).toEqual([first.serial, second.serial]);
  expect([first, second, bob].map(({ certificate }) => listNow().isRevoked(certificate)?.reason)).toEqual([
    'key compromise',
    'key compromise',
    undefined,
  ]);
  expect(store.list().map(({ state }) => state)).toEqual(['revoked', 'revoked', 'valid']);
  await store.revoke(bob.serial.toLowerCase());
  expect(listNow().size).toBe(3);
  expect((await store.revoke('bob')).already).toHaveLength(1);
  await expect(store.revoke('nobody')).rejects.toThrow(fails('NOT_FOUND'));
});
test('the number of the list goes up each time, and its days are as asked', async () => {
  const numbers: number[] = [];
  for (let i = 0; i < 3; i++) {
    writeFileSync(join(root, 'c.pem'), await store.crlPem({ days: 2 }));
    numbers.push(
      Number(
        /crlNumber=(?:0x)?([0-9A-F]+)/.exec(
          await openssl(['crl', '-in', join(root, 'c.pem'), '-noout', '-crlnumber']),
        )?.[1],
      ),
    );
  }
  expect(numbers).toEqual([2, 3, 4]);
  expect(Math.round((listNow().nextUpdate.getTime() - Date.now()) / 3_600_000)).toBe(48);
});
test('a revocation keeps the days that lists were last asked for', async () => {
  const { serial } = await store.issueClient({ name: 'alice' });
  const daysLeft = (): number => Math.round((listNow().nextUpdate.getTime() - Date.now()) / 86_400_000);
  await store.revoke(serial);
  expect(daysLeft()).toBe(30);
  await store.crlPem({ days: 365 });
  await openStore(folder).revoke('alice');
  expect(daysLeft()).toBe(365);
  await expect(store.crlPem({ days: 0 })).rejects.toThrow(fails('USAGE'));
  await store.crlPem();
  expect(daysLeft()).toBe(365);
});
test('a copy of the list replaces an older list and nothing else', async () => {
  const copy = join(root, 'copy.pem');
  const list = await store.crlPem({ copy });
  expect(readFileSync(copy, 'utf8')).toBe(list);
  expect(await store.crlPem({ copy })).toBe(readFileSync(copy, 'utf8'));
  const key = readFileSync(filesOf(folder).key);
  for (const taken of [filesOf(folder).key, filesOf(folder).register, filesOf(folder).certificate, root])
    await expect(store.crlPem({ copy: taken })).rejects.toThrow(fails('FILE_EXISTS'));
  expect(readFileSync(filesOf(folder).key).equals(key)).toBe(true);
  expect(store.list()).toEqual([]);
});
test('a list that a killed revocation did not write is written by the next one', async () => {
  const { certificate } = await store.issueClient({ name: 'alice' });
  const before = readFileSync(store.revocationListFile);
  await store.revoke('alice');
  writeFileSync(store.revocationListFile, before);
  await store.revoke('alice');
  expect(listNow().isRevoked(certificate)).toBeDefined();
});
test('the passphrase is asked for once, and only when the key is needed', async () => {
  const locked = join(root, 'locked');
  await initAuthority(locked, { passphrase: 'secret' });
  let asked = 0;
  const opened = openStore(locked, {
    passphrase: () => {
      asked += 1;
      return Promise.resolve('secret');
    },
  });
  expect(opened.list()).toEqual([]);
  expect(asked).toBe(0);
  await opened.issueClient({ name: 'alice' });
  await opened.revoke('alice');
  expect(asked).toBe(1);
  await expect(openStore(locked).issueClient({ name: 'bob' })).rejects.toThrow(fails('CA_PASSPHRASE'));
  await expect(openStore(locked, { passphrase: 'wrong' }).crlPem()).rejects.toThrow(fails('CA_PASSPHRASE'));
});
test('a damaged store is refused, and says what is damaged', async () => {
  const files = filesOf(folder);
  const damaged = async (path: string, work: () => unknown): Promise<void> => {
    const before = readFileSync(path);
    for (const damage of [
      () => {
        rmSync(path);
      },
      () => {
        writeFileSync(path, before.subarray(0, 20), { mode: 0o600 });
      },
    ]) {
      damage();
      await expect((async () => work())()).rejects.toMatchObject({
        code: expect.stringMatching(/^CA_(CORRUPT|MISSING)$/),
      });
    }
    writeFileSync(path, before, { mode: 0o600 });
  };
  await damaged(files.register, () => openStore(folder));
  await damaged(files.certificate, () => openStore(folder));
  await damaged(files.key, () => openStore(folder).crlPem());
  expect(openStore(folder).list()).toEqual([]);
});

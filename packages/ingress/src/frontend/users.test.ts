import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { loadUsers } from './users.ts';

function file(text: string | Buffer, mode = 0o600): string {
  const path = join(temporaryFolder(), 'users');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

test('those in the file are admitted by their own password, and nobody else', () => {
  const admits = loadUsers(file('# who may\nalice:s3cret:with colon\r\n\nbjörn:gehört\n'));
  expect(admits('alice', 's3cret:with colon')).toBe(true);
  expect(admits('björn', 'gehört')).toBe(true);
  for (const [user, password] of [
    ['alice', 'gehört'],
    ['alice', ''],
    ['', ''],
    ['alic', 'es3cret:with colon'],
    ['# who may', ''],
    ['carol', 'x'],
  ] as const)
    expect(admits(user, password)).toBe(false);
});

test.each([
  ['alice', /line 1 is not USER:PASSWORD/],
  [':s3cret', /line 1 is not/],
  ['a:b\nalice:', /line 2 is not/],
  ['a:b\na:s3cret', /line 2 names a user for the second time/],
  ['a:s3\tcret', /control character/],
  [Buffer.from([0x61, 0x3a, 0xff]), /not UTF-8/],
  [`a:${'s3cret'.repeat(50)}`, /more than 255 bytes/],
  ['# nobody\n', /it names no user/],
])('a file that is wrong is refused with the line and without its words: %#', (text, message) => {
  const attempt = (): unknown => loadUsers(file(text));
  expect(attempt).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) }));
  expect(attempt).toThrow(expect.objectContaining({ message: expect.not.stringMatching(/s3cret/) }));
});

test('a file that others may read, or that is not there, is refused', () => {
  expect(() => loadUsers(file('alice:s3cret', 0o644))).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('chmod 600') }),
  );
  expect(() => loadUsers(join(temporaryFolder(), 'none'))).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('there is no such file') }),
  );
});

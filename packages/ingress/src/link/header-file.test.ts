import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { readHeaderFile } from './header-file.ts';

const path = join(temporaryFolder(), 'headers');
const read = (text: string, mode = 0o600): ReturnType<typeof readHeaderFile> => {
  writeFileSync(path, text);
  chmodSync(path, mode);
  return readHeaderFile(path);
};

test('each line is a header; empty lines and comments are ignored', () => {
  expect(read('# Cloudflare Access\n\nCF-Access-Client-Id: abc\r\nCF-Access-Client-Secret: hunter2\n')).toEqual([
    { name: 'CF-Access-Client-Id', value: 'abc' },
    { name: 'CF-Access-Client-Secret', value: 'hunter2' },
  ]);
});

test.each([
  ['X: 1\nhunter2\n', 'line 2: not a header: write "Name: value"'],
  ['X: 1\nHost: hunter2\n', 'line 2: the header Host belongs to the WebSocket handshake itself'],
  ['# hunter2\n', 'it names no header'],
])('%j is unusable, and its content is not shown', (text, reason) => {
  expect(() => read(text)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: `The file of headers ${path} is unusable: ${reason}.`,
    }),
  );
});

test('a file that others may read is refused', () => {
  expect(() => read('X: 1\n', 0o644)).toThrow(`has mode 0644, so others may use it: run "chmod 600 ${path}"`);
});

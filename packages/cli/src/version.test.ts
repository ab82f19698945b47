import { expect, test } from '@jest/globals';
import { runHere } from '../../../test/support/in-process-program.ts';
import { temporaryFolder } from '../../../test/support/scope.ts';
import { program } from './program.ts';
import { versionOf, versionText } from './version.ts';

const run = (args: readonly string[]) =>
  runHere({ name: 'adit', make: program }, args, { cwd: temporaryFolder(), env: {} });

test('the version is said with Node and the platform, also as JSON', async () => {
  const { stdout } = await run(['version']);
  expect(stdout).toMatch(/^adit \d+\.\d+\.\d+\nNode \d+\.\d+\.\d+, OpenSSL \S+, \w+-\w+\n$/);
  expect(JSON.parse((await run(['version', '--json'])).stdout)).toEqual({
    version: /^adit (.*)$/m.exec(stdout)![1],
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    openssl: process.versions.openssl,
  });
});

test('the commit is said where it is known', () => {
  expect(versionOf('1.2.3', '44078c0')).toMatchObject({ version: '1.2.3', commit: '44078c0' });
  expect(versionText(versionOf('1.2.3', '44078c0'))).toMatch(/^adit 1\.2\.3 \(commit 44078c0\)\n/);
});

test.each(['-v', '-V', '--version'])('%s prints the version alone', async (flag) => {
  expect(await run([flag])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@jest/globals';

const report = (issued: string): string =>
  execFileSync(
    process.execPath,
    [
      '--conditions=@adit/source',
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '-e',
      `
  const { reportIssued } = await import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'report.ts')).href)});
  reportIssued({ serial: '0A', notAfter: new Date('2030-01-01'), ...${issued} });`,
    ],
    { encoding: 'utf8' },
  );

test('it says whose certificate it is, until when, and where the files are', () => {
  expect(report(`{ subject: { kind: 'client', name: 'a', groups: [] }, files: ['a.crt'] }`)).toBe(
    'Issued a certificate for the client a, serial 0A, valid until 2030-01-01T00:00:00.000Z.\n  a.crt\n',
  );
  expect(
    report(
      `{ subject: { kind: 'egress', name: 'e', hosts: [{ kind: 'dns', text: 'x' }, { kind: 'ip', text: '::1' ` +
        '}] }, files: [] }',
    ),
  ).toBe('Issued a certificate for the egress e (hosts x, ::1), serial 0A, valid until 2030-01-01T00:00:00.000Z.\n');
});

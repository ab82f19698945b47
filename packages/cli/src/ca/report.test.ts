import { expect, test } from '@jest/globals';
import { captured } from '../../../../test/support/in-process-program.ts';
import { reportIssued } from './report.ts';

type Issued = Parameters<typeof reportIssued>[0];

const report = async (issued: Pick<Issued, 'subject' | 'files' | 'groupsBack'>): Promise<string> => {
  const rest = { serial: '0A', notAfter: new Date('2030-01-01') };
  return (await captured(async () => reportIssued({ ...rest, ...issued }))).stdout;
};

test('it says how to get back what a revocation took', async () => {
  const issued = { subject: { kind: 'client', name: 'a', groups: [] }, files: ['a.crt'] } as const;
  expect(await report({ ...issued, groupsBack: 'So.' })).toMatch(
    /\n {2}a\.crt\nThe last certificate of this name was revoked\. So\.\n$/,
  );
});

test('it says whose certificate it is, until when, and where the files are', async () => {
  expect(await report({ subject: { kind: 'client', name: 'a', groups: [] }, files: ['a.crt'] })).toBe(
    'Issued a certificate for the client a, serial 0A, valid until 2030-01-01T00:00:00.000Z.\n  a.crt\n',
  );
  const hosts = [{ kind: 'dns', text: 'x' } as const, { kind: 'ip', text: '::1' } as const];
  expect(await report({ subject: { kind: 'egress', name: 'e', hosts }, files: [] })).toBe(
    'Issued a certificate for the egress e (hosts x, ::1), serial 0A, valid until 2030-01-01T00:00:00.000Z.\n',
  );
});

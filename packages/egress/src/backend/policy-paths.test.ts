import { expect, test } from '@jest/globals';
import { policyPath, tlsPaths } from './policy-paths.ts';

test('a relative path begins at the folder of the policy', () => {
  expect([
    policyPath('/etc/adit', 'ca.pem'),
    policyPath('/etc/adit', '/abs/ca.pem'),
    policyPath('.', 'ca.pem'),
  ]).toEqual(['/etc/adit/ca.pem', '/abs/ca.pem', 'ca.pem']);
});

test('a file for TLS that is not named has no path', () => {
  expect(tlsPaths('/etc/adit', { ca: 'ca.pem', key: '/abs/k.pem' })).toEqual({
    ca: '/etc/adit/ca.pem',
    cert: undefined,
    key: '/abs/k.pem',
  });
});

import { readCertificate } from '@adit/shared/identity/certificate';
import { expect, test } from '@jest/globals';
import { createAuthority } from './authority.ts';
import { checkConstraints, checkPermitted, noConstraints, readConstraints } from './constraints.ts';
import { clientSubject, egressSubject } from './names.ts';

const invalid = expect.objectContaining({ code: 'NAME_INVALID' });
const constraints = checkConstraints(['Example.org', 'example.org'], ['example.org'], 'example.org');

test('constraints are read back from the certificate', () => {
  expect(constraints).toEqual({ dns: ['example.org'], uri: ['example.org'] });
  expect(createAuthority({ trustDomain: 'example.org', constraints }).constraints).toEqual(constraints);
  expect(readConstraints(readCertificate(createAuthority().certificate.raw).extensions)).toEqual(noConstraints);
});
test.each(['10.0.0.0', '::1', '*.a', 'a b', ''])('%j is no domain to permit', (text) => {
  expect(() => checkConstraints([text], [], 'a')).toThrow(invalid);
  expect(() => checkConstraints([], [text], 'a')).toThrow(invalid);
});
test('a trust domain that its own CA may not sign is refused', () => {
  expect(() => checkConstraints([], ['example.com'], 'example.org')).toThrow(
    expect.objectContaining({
      code: 'NAME_INVALID',
      message:
        'The trust domain example.org is not covered by --permit-uri example.com: no certificate of this CA ' +
        'would verify.',
    }),
  );
  expect(() => checkConstraints([], ['.example.org'], 'example.org')).toThrow(invalid);
  expect(checkConstraints([], ['.example.org'], 'eu.example.org').uri).toEqual(['.example.org']);
});
test('hosts are within the domain, or no peer would accept them', () => {
  checkPermitted(constraints, egressSubject('edge', ['example.org', 'a.b.example.org', '10.0.0.1']));
  expect(() => {
    checkPermitted(constraints, egressSubject('edge', ['a.example.org', 'badexample.org']));
  }).toThrow(
    expect.objectContaining({
      code: 'NAME_INVALID',
      message:
        'The name badexample.org is outside of what this CA may sign (DNS: example.org): no peer would accept ' +
        'the certificate.',
    }),
  );
});
test('a client whose name looks like a host is held to the same', () => {
  checkPermitted(constraints, clientSubject('alice'));
  checkPermitted(constraints, clientSubject('Alice.example.org'));
  expect(() => {
    checkPermitted(constraints, clientSubject('alice.smith'));
  }).toThrow(invalid);
  checkPermitted(noConstraints, clientSubject('alice.smith'));
});

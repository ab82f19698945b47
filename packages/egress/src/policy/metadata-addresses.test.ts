import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { formatAddress, parseAddress } from '@adit/shared/protocol/address';
import { alice, allowing, policyOf, rule, to } from '../../../../test/support/policies.ts';
import { metadataAddresses } from './metadata-addresses.ts';
import { classify } from './special.ts';

const page = readFileSync(new URL('../../../../docs/policy.md', import.meta.url), 'utf8');
const at80 = (host: string): string => (host.includes(':') ? `[${host}]:80` : `${host}:80`);

test.each(metadataAddresses)('%s is a block of its own', (address) => {
  const bytes = parseAddress(address)!;
  expect(formatAddress(bytes)).toBe(address);
  expect(classify(bytes)).toEqual({
    kind: 'metadata',
    minPrefix: bytes.length * 8,
    cidr: expect.anything() as unknown,
  });
});

test.each(metadataAddresses)('%s is reached by no range around it and by no name, but by itself', (address) => {
  const wide = [
    '*:*',
    '169.254.0.0/16:*',
    '100.64.0.0/10:*',
    '[fc00::/7]:*',
    '[fe80::/10]:*',
    '0.0.0.0/0:*',
    '[::/0]:*',
  ];
  const names = ['metadata.google.internal:80', '*.internal:80'];
  const guarded = policyOf([rule('r', [...wide, ...names])]);

  expect(guarded.decide(alice, to(at80(address))).allow).toBe(false);
  expect(guarded.decideAddress(alice, to('metadata.google.internal:80'), address).allow).toBe(false);
  expect(allowing(at80(address)).decide(alice, to(at80(address))).allow).toBe(true);
});

test('docs/policy.md lists them all, and no other', () => {
  const [, row] = /^\| metadata \| (.*) \|$/m.exec(page)!;
  expect(row!.split(', ').sort()).toEqual(metadataAddresses.map((address) => `\`${address}\``).sort());
});

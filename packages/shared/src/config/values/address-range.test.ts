import { expect, test } from '@jest/globals';
import { parseAddress } from '../../protocol/address.ts';
import { parseAddressRange } from './address-range.ts';

test.each([
  ['10.0.0.0/8', '10.0.0.0', 8],
  ['192.0.2.7', '192.0.2.7', 32],
  ['fd00::/8', 'fd00::', 8],
  ['::ffff:10.0.0.0/104', '10.0.0.0', 8],
  ['0.0.0.0/0', '0.0.0.0', 0],
])('%s is a range', (text, address, prefix) => {
  expect(parseAddressRange(text)).toEqual({ ok: true, value: { bytes: parseAddress(address), prefix } });
});

test.each([
  '',
  'lb.example.org',
  '10.0.0.1/8',
  '10.0.0.0/33',
  '10.1',
  '010.0.0.1',
  '10.0.0.0/8/8',
  '[::1]',
  '10.0.0.0-10.0.0.9',
])('%j is none, and the reason shows a right one', (text) => {
  expect(parseAddressRange(text)).toEqual({ ok: false, reason: expect.stringContaining('10.0.0.0/8') });
});

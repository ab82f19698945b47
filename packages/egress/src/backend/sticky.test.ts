import { expect, test } from '@jest/globals';
import { addressOf } from './sticky.ts';

const identity = { name: 'alice', uri: 'spiffe://example.org/client/alice' };

test.each([
  ['192.0.2.7:51234', '192.0.2.7'],
  ['[2001:db8::7]:51234', '2001:db8::7'],
  ['::ffff:192.0.2.7', identity.uri],
  ['laptop:51234', identity.uri],
  ['web', identity.uri],
  ['local', identity.uri],
  ['', identity.uri],
  [undefined, identity.uri],
])('a client at %s has the key %s', (client, key) => {
  expect(addressOf({ identity, ...(client !== undefined && { client }) })).toBe(key);
});

test('neither the port nor the spelling of an address matters', () => {
  expect(addressOf({ identity, client: '[2001:DB8:0::7]:1' })).toBe(addressOf({ identity, client: '[2001:db8::7]:2' }));
});

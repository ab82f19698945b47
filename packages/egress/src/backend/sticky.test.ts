import { expect, test } from '@jest/globals';
import { addressOf } from './sticky.ts';

const identity = { name: 'alice', uri: 'spiffe://example.org/client/alice' };

test.each([
  [{ host: '192.0.2.7', port: 51_234 }, '192.0.2.7'],
  [{ host: '2001:db8::7', port: 51_234 }, '2001:db8::7'],
  ['local' as const, identity.uri],
  [undefined, identity.uri],
])('a client at %j has the key %s', (client, key) => {
  expect(addressOf({ identity, ...(client !== undefined && { client }) })).toBe(key);
});

test('the port does not matter', () => {
  const at = (port: number): string => addressOf({ identity, client: { host: '2001:db8::7', port } });
  expect(at(1)).toBe(at(2));
});

import { expect, test } from '@jest/globals';
import { bmpString, encode, oid, sequence, set, utf8String } from '../asn1.ts';
import { nameText } from './name-text.ts';

const pair = (id: string, value: ReturnType<typeof utf8String>) => set(sequence(oid(id), value));

test('known attributes have short names, others their numbers', () => {
  expect(
    nameText(
      encode(
        sequence(
          pair('2.5.4.10', utf8String('Ünion')),
          pair('2.5.4.3', bmpString('alice')),
          pair('1.2.3', utf8String('x')),
        ),
      ),
    ),
  ).toBe('O=Ünion, CN=alice, 1.2.3=x');
  expect(nameText(encode(sequence()))).toBe('(empty)');
});
test('one value never looks like two', () => {
  expect(nameText(encode(sequence(pair('2.5.4.3', utf8String('a, CN=root')))))).toBe('CN=a\\, CN\\=root');
});

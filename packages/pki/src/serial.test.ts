import { readDer, serialOf } from '@adit/shared/identity/der';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { encode, integer } from './asn1.ts';
import { newSerial, parseSerial, serialBytes, serialText } from './serial.ts';

const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });

test('whatever the random bytes, a serial is positive, not zero, and written as it is shown', () => {
  fc.assert(
    fc.property(bytes, (random) => {
      fc.pre(random.some((byte, index) => (index === 0 ? byte & 0x7f : byte) !== 0));
      const serial = newSerial(() => random);
      const der = encode(integer(serialBytes(serial)));
      expect(serialOf(readDer(der, 'serial'))).toBe(serial);
      expect(der.length).toBeLessThanOrEqual(18);
      expect(BigInt(`0x${serial}`)).toBeLessThan(2n ** 127n);
    }),
  );
});
test('zero is never a serial', () => {
  const drawn = [
    Buffer.alloc(16),
    Buffer.from([0x80, ...Array<number>(15).fill(0)]),
    Buffer.from([...Array<number>(15).fill(0), 5]),
  ];
  expect(newSerial(() => drawn.shift()!)).toBe('05');
  expect(drawn).toEqual([]);
});
test('a serial is found however a person types it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), (magnitude) => {
      const serial = serialText(magnitude);
      const pairs = Buffer.from(magnitude).toString('hex').match(/../g)!;
      for (const typed of [
        serial,
        serial.toLowerCase(),
        pairs.join(':'),
        `0x${pairs.join('')}`,
        BigInt(`0x${serial}`).toString(16),
      ])
        expect(parseSerial(typed)).toBe(serial);
    }),
  );
});
test.each(['', 'alice', '12 34', '0x', 'a'.repeat(41), '-1'])('%j is no serial', (text) => {
  expect(parseSerial(text)).toBeUndefined();
});

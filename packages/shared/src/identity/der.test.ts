import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { der, integer, oid, rawInteger, seq, time } from '../../../../test/support/issuer.ts';
import {
  type DerElement,
  DerError,
  bitsOf,
  booleanOf,
  childrenOf,
  oidOf,
  readDer,
  serialOf,
  smallNumberOf,
  tags,
  timeOf,
} from './der.ts';

const hex = (text: string): Uint8Array => Buffer.from(text.replace(/\s/g, ''), 'hex');
const read = (text: string): DerElement => readDer(hex(text), 'it');

describe('elements', () => {
  test('a short and a long length are read', () => {
    expect(read('04 02 0102').content).toEqual(hex('0102'));
    expect(readDer(der(0x04, Buffer.alloc(300)), 'it').content.length).toBe(300);
  });
  test.each([
    ['nothing', ''],
    ['a tag without a length', '30'],
    ['content that is cut off', '0402 01'],
    ['bytes after the end', '0401 01 00'],
    ['an indefinite length', '3080 0000'],
    ['a long length where a short one fits', '0481 01 01'],
    ['a length with a leading zero', '0482 0080'],
    ['a length of five bytes', '0485 0000000001 01'],
    ['a tag number above 30', '1f8101 00'],
    ['a length beyond the input', '0484 ffffffff 00'],
  ])('%s is refused', (_, text) => {
    expect(() => read(text)).toThrow(DerError);
  });
  test('a primitive element has no children', () => {
    expect(() => childrenOf(read('0401 01'), 'it')).toThrow('it is not a structure');
  });
  test('children come in order and cover the content', () => {
    expect(childrenOf(read('3006 020101 020102'), 'it').map((child) => child.content[0])).toEqual([1, 2]);
    expect(() => childrenOf(read('3004 020101 02'), 'it')).toThrow(DerError);
  });
});

describe('values', () => {
  test.each([
    ['7f', '7F'],
    ['0080', '80'],
    ['00', '00'],
    ['0102', '0102'],
    [`00ff${'00'.repeat(19)}`, `FF${'00'.repeat(19)}`],
  ])('serial %s reads as %s', (content, serial) => {
    expect(serialOf(readDer(rawInteger(content), 'it'))).toBe(serial);
  });
  test.each([
    ['80', 'negative'],
    ['ff01', 'negative'],
    ['', 'empty'],
    ['0001', 'superfluous'],
    ['01'.repeat(22), 'too long'],
  ])('serial %s is refused as %s', (content, why) => {
    expect(() => serialOf(readDer(rawInteger(content), 'it'))).toThrow(why);
  });
  test('a serial round-trips for any number', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 159n), (number) => {
        const digits = number.toString(16).toUpperCase();
        expect(serialOf(readDer(integer(digits), 'it'))).toBe(digits.length % 2 === 1 ? `0${digits}` : digits);
      }),
    );
  });
  test.each(['1.2.840.10045.4.3.2', '2.5.29.17', '1.3.101.112', '2.999.3', '0.9.2342'])(
    'object identifier %s round-trips',
    (dotted) => {
      const element = dotted === '2.999.3' ? read('0603 883703') : readDer(oid(dotted), 'it');
      expect(oidOf(element, 'it')).toBe(dotted);
    },
  );
  test.each(['0600', '0601 80', '0602 8001', '0602 2a80'])('object identifier %s is refused', (text) => {
    expect(() => oidOf(read(text), 'it')).toThrow(DerError);
  });
  test('a truth value is 00 or ff', () => {
    expect(booleanOf(read('0101 ff'), 'it')).toBe(true);
    expect(() => booleanOf(read('0101 01'), 'it')).toThrow(DerError);
  });
  test('a signature has no unused bits, and a key usage may', () => {
    expect(bitsOf(read('0303 000102'), 'it')).toEqual(hex('0102'));
    expect(() => bitsOf(read('0302 0106'), 'it')).toThrow(DerError);
    expect(bitsOf(read('0302 0106'), 'it', true)).toEqual(hex('06'));
    expect(() => bitsOf(read('0301 03'), 'it', true)).toThrow(DerError);
  });
  test('a small number is below 2^31', () => {
    expect(smallNumberOf(read('0a01 06'), tags.enumerated, 'it')).toBe(6);
    expect(() => smallNumberOf(read('0205 0100000000'), tags.integer, 'it')).toThrow(DerError);
  });
  test('times round-trip on both sides of 2050', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1950-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
        (date) => {
          date.setMilliseconds(0);
          expect(timeOf(readDer(time(date), 'it'), 'it')).toEqual(date);
        },
      ),
    );
  });
  test.each(['260231000000Z', '26010100000Z', '260101000000+', '2601010000Z', '260101240000Z', '2601xx000000Z'])(
    'UTC time %s is refused',
    (text) => {
      expect(() => timeOf(readDer(der(0x17, Buffer.from(text)), 'it'), 'it')).toThrow(DerError);
    },
  );
});

test('any bytes give an element or DerError, and a tree of them is walked in linear time', () => {
  const walk = (element: DerElement, budget: { left: number }): void => {
    if (budget.left-- <= 0) throw new Error('more elements than bytes');
    if ((element.tag & 0x20) !== 0) for (const child of childrenOf(element, 'it')) walk(child, budget);
  };
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ maxLength: 300 }).map((bytes) => seq(bytes)),
      ),
      (bytes) => {
        try {
          walk(readDer(bytes, 'it'), { left: bytes.length + 1 });
        } catch (error) {
          expect(error).toBeInstanceOf(DerError);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

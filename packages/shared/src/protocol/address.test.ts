import { isIP } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addressFamily, cidrContains, formatAddress, isMapped, parseAddress, parseCidr, unmapped } from './address.ts';

const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
const sparse = fc
  .array(fc.oneof(fc.constant(0), fc.nat(255)), { minLength: 16, maxLength: 16 })
  .map((bytes) => Uint8Array.from(bytes));
const v6 = fc.oneof(fc.uint8Array({ minLength: 16, maxLength: 16 }), sparse);
const text = fc.oneof(
  fc.string(),
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV4Extended(),
  fc.string({ unit: fc.constantFrom(...'0123456789abcdefx:./%[]') }),
);

const cidr = (range: string) => {
  const parsed = parseCidr(range);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
};

describe('addresses', () => {
  it('reads back what it writes, for any bytes', () => {
    fc.assert(
      fc.property(fc.oneof(v4, v6), (bytes) => {
        expect(parseAddress(formatAddress(bytes))).toEqual(bytes);
      }),
    );
  });

  it('agrees with the platform about what an address is, but for zones', () => {
    fc.assert(
      fc.property(text, (candidate) => {
        expect(addressFamily(candidate)).toBe(candidate.includes('%') ? 0 : isIP(candidate));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['2001:0db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:DB8::1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::0.0.0.1', '::1'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['::FFFF:7f00:1', '::ffff:127.0.0.1'],
    ['64:ff9b::127.0.0.1', '64:ff9b::7f00:1'],
  ])('writes %s as RFC 5952 has it', (given, canonical) => {
    expect(formatAddress(parseAddress(given)!)).toBe(canonical);
  });

  it.each([
    '10.1',
    '127.1',
    '010.0.0.1',
    '1.2.3.04',
    '0x7f.0.0.1',
    '2130706433',
    '256.1.1.1',
    '1.2.3.4.',
    '1.2.3',
    '1..2.3',
    ' 1.2.3.4',
    '1.2.3.4\0',
    '::1%eth0',
    'fe80::1%1',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    '1.2.3.4::',
    '::1.2.3.4:5',
    '::1.2.3.04',
    '[::1]',
    '',
    '::١',
  ])('does not take %j for an address', (given) => {
    expect(parseAddress(given)).toBeUndefined();
  });

  it('unmaps v4-mapped IPv6 and nothing else', () => {
    fc.assert(
      fc.property(v4, (bytes) => {
        expect(unmapped(parseAddress(`::ffff:${bytes.join('.')}`)!)).toEqual(bytes);
      }),
    );
    for (const other of ['::1.2.3.4', '64:ff9b::1.2.3.4', '::ffff:0:1.2.3.4', '1::ffff:1.2.3.4'])
      expect(isMapped(parseAddress(other)!)).toBe(false);
  });
});

describe('ranges', () => {
  it('hold exactly the addresses that share their first bits', () => {
    const bits = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    fc.assert(
      fc.property(
        fc.oneof(fc.tuple(v4, v4), fc.tuple(v6, v6)),
        fc.nat(128),
        fc.nat(128),
        ([network, other], share, length) => {
          const prefix = Math.min(length, network.length * 8);
          const near = other.map((byte, at) => (at < share / 8 ? network[at]! : byte));
          const zeroed = Uint8Array.from(
            bits(network)
              .slice(0, prefix)
              .padEnd(network.length * 8, '0')
              .match(/.{8}/g)!,
            (byte) => Number.parseInt(byte, 2),
          );
          const range = { bytes: zeroed, prefix };
          expect(cidrContains(range, near)).toBe(bits(near).startsWith(bits(network).slice(0, prefix)));
          expect(cidrContains(range, network)).toBe(true);
          const read = parseCidr(`${formatAddress(zeroed)}/${prefix}`);
          expect(read).toEqual(isMapped(zeroed) ? expect.objectContaining({ ok: true }) : { ok: true, value: range });
        },
      ),
    );
  });

  it('never mix the families', () => {
    expect(cidrContains(cidr('0.0.0.0/0'), parseAddress('::1')!)).toBe(false);
    expect(cidrContains(cidr('::/0'), parseAddress('1.2.3.4')!)).toBe(false);
  });

  it('of v4-mapped addresses are the IPv4 ranges they stand for', () => {
    expect(cidr('::ffff:10.0.0.0/104')).toEqual(cidr('10.0.0.0/8'));
    expect(cidr('::ffff:10.0.0.1')).toEqual(cidr('10.0.0.1'));
  });

  it.each([
    ['10.0.0.1/8', 'bits after the prefix are set: write 10.0.0.0/8 for the range or 10.0.0.1 for the address'],
    ['fd00::1/8', 'bits after the prefix are set: write fd00::/8 for the range or fd00::1 for the address'],
    ['10.0.0.0/33', 'the prefix length is not between 0 and 32'],
    ['::/129', 'the prefix length is not between 0 and 128'],
    ['10.0.0.0/', 'the prefix length is not between 0 and 32'],
    ['10.0.0.0/08', 'the prefix length is not between 0 and 32'],
    ['10.0.0.0/8/8', 'it is not an address or range'],
    ['10/8', 'it is not an address or range'],
    ['', 'it is not an address or range'],
  ])('refuse %j and say why', (given, reason) => {
    expect(parseCidr(given)).toEqual({ ok: false, reason });
  });

  it('never throw, whatever the text', () => {
    fc.assert(
      fc.property(text, (candidate) => {
        expect(typeof parseCidr(candidate).ok).toBe('boolean');
      }),
    );
  });
});

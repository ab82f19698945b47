import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Cidr, formatAddress } from '@adit/shared/protocol/address';
import { parseDestinationPattern } from './destination-pattern.ts';
import type { Ports } from './ports.ts';

const formatCidr = ({ bytes, prefix }: Cidr): string =>
  `${formatAddress(bytes)}${prefix === bytes.length * 8 ? '' : `/${prefix}`}`;
const formatPorts = (ports: Ports): string =>
  ports
    .map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`))
    .join(',')
    .replace(/^1-65535$/, '*');

/** The pattern in a short form of its own. */
const read = (text: string): string => {
  const parsed = parseDestinationPattern(text);
  if (!parsed.ok) return parsed.reason;
  const { value } = parsed;
  switch (value.kind) {
    case 'service':
      return `service ${value.service}`;
    case 'name':
      return `name ${value.host} ${formatPorts(value.ports)}`;
    case 'suffix':
      return `suffix ${value.suffix} ${formatPorts(value.ports)}`;
    case 'any':
      return `any ${formatPorts(value.ports)}`;
    case 'range':
      return `range ${formatCidr(value.range)} ${formatPorts(value.ports)}`;
  }
};

describe('destination patterns', () => {
  it.each([
    ['web', 'service web'],
    ['db.internal:5432', 'name db.internal 5432'],
    ['DB.Internal.:5432', 'name db.internal 5432'],
    ['*.svc.internal:443,8443', 'suffix .svc.internal 443,8443'],
    ['10.0.0.0/8:22', 'range 10.0.0.0/8 22'],
    ['127.0.0.1:*', 'range 127.0.0.1 *'],
    ['[fd00::/8]:*', 'range fd00::/8 *'],
    ['[::1]:80-90', 'range ::1 80-90'],
    ['[::ffff:10.0.0.0/104]:22', 'range 10.0.0.0/8 22'],
    ['*:443', 'any 443'],
    ['*:*', 'any *'],
    ['0.0.0.0/0:443', 'range 0.0.0.0/0 443'],
  ])('reads %s as %s', (text, pattern) => {
    expect(read(text)).toBe(pattern);
  });

  it.each([
    ['', 'the destination is missing'],
    ['*', 'the ports are missing: "*:443" is port 443 of every public destination, "*:*" every port'],
    ['Web', 'service names are lower-case'],
    ['db.internal', 'it is not the name of a service, and for a host the ports are missing: write HOST:PORTS'],
    ['db.internal:', 'the ports are missing: write :443, :443,8443, :8000-8100 or :*'],
    ['[::1]', 'the ports are missing: write [ADDRESS]:PORTS'],
    ['fd00::/8:*', 'IPv6 goes in brackets: [ADDRESS]:PORTS or [ADDRESS/LENGTH]:PORTS'],
    ['[10.0.0.0/8]:22', 'only IPv6 goes in brackets'],
    ['10.0.0.1/8:22', 'bits after the prefix are set: write 10.0.0.0/8 for the range or 10.0.0.1 for the address'],
    [
      '10.1:22',
      'the host looks like an address but is not one: write IPv4 as four decimal numbers without leading zeros',
    ],
    ['db*.internal:22', '"*" stands for a whole host, or for all before the first dot: write *.SUFFIX:PORTS'],
    ['*.*.internal:22', '"*" stands for a whole host, or for all before the first dot: write *.SUFFIX:PORTS'],
    ['*.:22', 'the host is missing'],
    ['db:0', '"0" is not a port or range of ports from 1 to 65535'],
    ['internal/8:22', 'it is not an address or range'],
  ])('refuses %j and says why', (text, reason) => {
    expect(read(text)).toBe(reason);
    expect(parseDestinationPattern(text).ok).toBe(false);
  });

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'*.:[]/,-09az') })), (text) => {
        expect(typeof parseDestinationPattern(text).ok).toBe('boolean');
      }),
      { numRuns: 2000 },
    );
  });
});

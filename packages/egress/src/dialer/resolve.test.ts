import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addressFamily } from '@adit/shared/protocol/destination';
import { inTurns, maxAddresses, systemResolve } from './resolve.ts';

describe('resolving', () => {
  it('alternates the families, beginning with the first', () => {
    expect(inTurns(['::1', '::2', '::3', '1.1.1.1', '2.2.2.2'])).toEqual(['::1', '1.1.1.1', '::2', '2.2.2.2', '::3']);
    expect(inTurns(['1.1.1.1', '2.2.2.2', '::1'])).toEqual(['1.1.1.1', '::1', '2.2.2.2']);
    expect(inTurns([])).toEqual([]);
  });

  it('drops duplicates and what exceeds the limit, and adds nothing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('1.1.1.1', '::1', 'odd')), { maxLength: 60 }),
        (addresses) => {
          const turns = inTurns(addresses);
          expect(turns).toHaveLength(Math.min(maxAddresses, new Set(addresses).size));
          expect(new Set(turns).size).toBe(turns.length);
          expect(turns.every((address) => addresses.includes(address))).toBe(true);
          expect(turns[0]).toBe(addresses[0]);
        },
      ),
    );
  });

  it('asks the resolver of the system, which knows localhost', async () => {
    const addresses = await systemResolve('localhost');
    expect(addresses.length).toBeGreaterThan(0);
    expect(addresses.every((address) => addressFamily(address) !== 0)).toBe(true);
  });
});

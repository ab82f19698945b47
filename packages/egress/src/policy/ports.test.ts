import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parsePorts, portsInclude } from './ports.ts';

const ports = (text: string) => {
  const parsed = parsePorts(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
};

describe('ports', () => {
  it.each([
    ['443', [[443, 443]]],
    [
      '8443,443',
      [
        [443, 443],
        [8443, 8443],
      ],
    ],
    [
      '8000-8100,8050-8200,22',
      [
        [22, 22],
        [8000, 8200],
      ],
    ],
    ['80,81,82', [[80, 82]]],
    ['*', [[1, 65535]]],
    ['1-65535', [[1, 65535]]],
    ['5-5', [[5, 5]]],
  ])('reads %s as a sorted and merged set', (given, set) => {
    expect(ports(given)).toEqual(set);
  });

  it('hold exactly the ports that were written', () => {
    const run = fc
      .tuple(fc.integer({ min: 1, max: 65535 }), fc.nat(20))
      .map(([first, more]) => [first, Math.min(65535, first + more)] as const);
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 8 }), fc.nat(65535), (runs, port) => {
        const set = ports(runs.map(([first, last]) => `${first}-${last}`).join(','));
        for (const candidate of [port, ...runs.flat(), ...runs.map(([, last]) => last + 1)]) {
          expect(portsInclude(set, candidate)).toBe(
            runs.some(([first, last]) => candidate >= first && candidate <= last),
          );
        }
        expect(ports(set.map((range) => range.join('-')).join(','))).toEqual(set);
      }),
    );
  });

  it.each([
    ['', 'the ports are missing: write :443, :443,8443, :8000-8100 or :*'],
    ['0', '"0" is not a port or range of ports from 1 to 65535'],
    ['0-5', '"0-5" is not'],
    ['65536', '"65536" is not'],
    ['443,', '"" is not'],
    ['443, 80', '" 80" is not'],
    ['1-2-3', '"1-2-3" is not'],
    ['-5', '"-5" is not'],
    ['http', '"http" is not'],
    ['*,80', '"*" is not'],
    ['9-8', 'the range 9-8 ends before it begins'],
  ])('refuse %j and say why', (given, reason) => {
    const parsed = parsePorts(given);
    expect(parsed.ok ? '' : parsed.reason).toContain(reason);
  });
});

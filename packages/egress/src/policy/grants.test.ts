import { describe, expect, it } from '@jest/globals';
import { parseAddress } from '@adit/shared/protocol/address';
import { parseDestinationPattern } from './destination-pattern.ts';
import { Grants } from './grants.ts';

const grants = (...texts: string[]) =>
  new Grants(
    texts.map((text) => {
      const parsed = parseDestinationPattern(text);
      if (!parsed.ok) throw new Error(parsed.reason);
      return { rule: text, why: text, pattern: parsed.value };
    }),
  );
const bytes = (text: string) => parseAddress(text)!;

describe('grants', () => {
  it('find exact names before wildcards before everything', () => {
    const all = grants('*:*', '*.internal:22,443', 'db.internal:443');
    expect(all.named('db.internal', 443)).toMatchObject({ breadth: 'exact', grant: { rule: 'db.internal:443' } });
    expect(all.named('db.internal', 22)).toMatchObject({ breadth: 'wildcard', grant: { rule: '*.internal:22,443' } });
    expect(all.named('db.internal', 80)).toMatchObject({ breadth: 'any', grant: { rule: '*:*' } });
  });

  it.each([
    ['a.internal', true],
    ['a.b.internal', true],
    ['internal', false],
    ['xinternal', false],
    ['.internal', false],
    ['a.internal.evil', false],
    ['a.internals', false],
  ])('take %s for a name below *.internal: %s', (host, expected) => {
    expect(grants('*.internal:22').named(host, 22) !== undefined).toBe(expected);
  });

  it('match a range by the address, the port and the shortest prefix allowed', () => {
    const all = grants('10.0.0.0/8:22', '[fd00::/8]:22', '0.0.0.0/0:443');
    expect(all.ranged(bytes('10.1.2.3'), 22, 8)?.rule).toBe('10.0.0.0/8:22');
    expect(all.ranged(bytes('10.1.2.3'), 23, 8)).toBeUndefined();
    expect(all.ranged(bytes('10.1.2.3'), 22, 9)).toBeUndefined();
    expect(all.ranged(bytes('10.1.2.3'), 443, 8)).toBeUndefined();
    expect(all.ranged(bytes('fd12::1'), 22, 7)?.rule).toBe('[fd00::/8]:22');
    expect(all.ranged(bytes('1.1.1.1'), 443, 0)?.rule).toBe('0.0.0.0/0:443');
  });

  it('let the first of equals decide', () => {
    expect(grants('web', 'db:1-9', 'db:5').service('web')?.rule).toBe('web');
    expect(grants('db:1-9', 'db:5').named('db', 5)?.grant.rule).toBe('db:1-9');
    expect(grants().any(1)).toBeUndefined();
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { below, BlocklistBuilder, everything, itself, type Blocklist, type Reach } from './blocklist.ts';

interface Entry {
  readonly name: string;
  readonly reach: Reach;
}

function listOf(entries: readonly Entry[]): Blocklist {
  const builder = new BlocklistBuilder();
  for (const [at, { name, reach }] of entries.entries()) builder.add(name, { reach, line: at + 1 });
  const build = builder.build();
  for (;;) {
    const step = build.next();
    if (step.done === true) return step.value;
  }
}

/** What the entries mean, without any hash. */
const blocks = (entries: readonly Entry[], asked: string): boolean =>
  entries.some(
    ({ name, reach }) =>
      (name === asked && (reach & itself) !== 0) || (asked.endsWith(`.${name}`) && (reach & below) !== 0),
  );

// Few labels, so that names meet.
const label = fc.constantFrom('a', 'b', 'ab', 'ads', 'xn--bcher-kva', '_dmarc', 'c');
const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));
const entry = fc.record({ name, reach: fc.constantFrom<Reach>(itself, below, everything) });

describe('a blocklist', () => {
  it('blocks exactly what its entries mean', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), fc.array(name, { maxLength: 30 }), (entries, names) => {
        const list = listOf(entries);
        for (const asked of [...names, ...entries.map((one) => one.name)])
          expect([asked, list.blocks(asked) !== undefined]).toEqual([asked, blocks(entries, asked)]);
      }),
    );
  });

  it('names the entry that blocks, and its line', () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 40 }), name, (entries, asked) => {
        const found = listOf(entries).blocks(asked);
        if (found === undefined) return;
        const { name: blocked, reach } = entries[found.line - 1]!;
        expect([blocks([{ name: blocked, reach }], asked), found.text]).toEqual([
          true,
          `${reach === itself ? '=' : reach === below ? '*.' : ''}${blocked}`,
        ]);
      }),
    );
  });

  it('names the most exact entry', () => {
    const list = listOf([
      { name: 'com', reach: below },
      { name: 'ads.com', reach: everything },
      { name: 'x.ads.com', reach: itself },
    ]);
    expect(['x.ads.com', 'y.ads.com', 'ads.com', 'b.com'].map((asked) => list.blocks(asked)?.text)).toEqual([
      '=x.ads.com',
      'ads.com',
      'ads.com',
      '*.com',
    ]);
    expect(list.blocks('com')).toBeUndefined();
  });

  it('keeps one entry of duplicates', () => {
    const list = listOf(
      Array.from({ length: 100 }, (_, at): Entry => ({ name: `n${at % 10}.example`, reach: everything })),
    );
    expect(list.size).toBe(10);
    expect(list.blocks('n3.example')).toMatchObject({ line: 4 });
  });

  it('that is empty blocks nothing', () => {
    expect([listOf([]).size, listOf([]).blocks('a.example')]).toEqual([0, undefined]);
  });

  it('spans segments, takes names of every length, and has no false positives among many', () => {
    const count = 60_000;
    const long = `${'x'.repeat(63)}.${'y'.repeat(63)}.${'z'.repeat(63)}.${'w'.repeat(61)}`;
    const list = listOf([
      { name: long, reach: everything },
      ...Array.from({ length: count }, (_, at): Entry => ({ name: `host-${at}.blocked.example`, reach: everything })),
    ]);
    expect([list.size, list.blocks(long)?.line]).toEqual([count + 1, 1]);
    for (let at = 0; at < count; at++) {
      if (list.blocks(`host-${at}.blocked.example`)?.line !== at + 2) throw new Error(`host-${at} is not found`);
      if (list.blocks(`host-${at}.allowed.example`) !== undefined) throw new Error(`host-${at} is blocked by mistake`);
    }
    expect(list.bytes).toBeLessThan(count * 64 + (1 << 20));
  });
});

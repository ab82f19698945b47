import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../../../test/support/characters.ts';
import { BlocklistBuilder, type Blocklist } from './blocklist.ts';
import { BlocklistReader, maxLineBytes } from './blocklist-lines.ts';

function read(
  text: string | Uint8Array,
  cuts: readonly number[] = [],
): { readonly complaints: readonly string[]; readonly list: Blocklist } {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const builder = new BlocklistBuilder();
  const reader = new BlocklistReader(builder);
  let from = 0;
  for (const cut of [...cuts.map((one) => Math.min(one, bytes.length)).sort((a, b) => a - b), bytes.length]) {
    reader.receive(bytes.subarray(from, cut));
    from = cut;
  }
  reader.end();
  const build = builder.build();
  for (;;) {
    const step = build.next();
    if (step.done === true) return { complaints: reader.complaints, list: step.value };
  }
}

const blocked = (text: string, names: readonly string[]): (string | undefined)[] => {
  const { complaints, list } = read(text);
  expect(complaints).toEqual([]);
  return names.map((name) => list.blocks(name)?.text);
};

describe('the lines of a blocklist', () => {
  it('block a name and every name below it', () => {
    expect(blocked('ads.example\n', ['ads.example', 'x.ads.example', 'bads.example', 'example'])).toEqual([
      'ads.example',
      'ads.example',
      undefined,
      undefined,
    ]);
  });

  it('block only the names below it with *. and only the name itself with =', () => {
    expect(blocked('*.a.example\n=b.example', ['a.example', 'x.a.example', 'b.example', 'x.b.example'])).toEqual([
      undefined,
      '*.a.example',
      '=b.example',
      undefined,
    ]);
  });

  it('of a hosts file block exactly their names, except those of the machine itself', () => {
    const text =
      '127.0.0.1 localhost localhost.localdomain\n::1 ip6-localhost\nfe80::1%lo0 localhost\n' +
      '255.255.255.255\tbroadcasthost\n0.0.0.0 0.0.0.0\n0.0.0.0 ads.example tracker.example # both\r\n';
    expect(blocked(text, ['ads.example', 'tracker.example', 'x.ads.example', 'localhost'])).toEqual([
      '=ads.example',
      '=tracker.example',
      undefined,
      undefined,
    ]);
  });

  it('may be comments, blank, end in CR LF, begin with a byte order mark, and not end at all', () => {
    expect(
      blocked('\ufeff# a list\r\n\r\n  Ads.Example.  # shouted\r\n\t\nb.example', ['ads.example', 'b.example']),
    ).toEqual(['ads.example', 'b.example']);
  });

  it('may be Unicode: the A-label is blocked', () => {
    expect(blocked('bücher.example\n*.Faß.example\n', ['xn--bcher-kva.example', 'x.xn--fa-hia.example'])).toEqual([
      'xn--bcher-kva.example',
      '*.xn--fa-hia.example',
    ]);
  });

  it.each([
    [
      'a.example\nhttp://b.example/\n',
      [
        '2: "http://b.example/": write one name in a line, without scheme, port or path: example.com, ' +
          '*.example.com or =example.com',
      ],
    ],
    [
      '||b.example^\n',
      [
        '1: "||b.example^": write one name in a line, without scheme, port or path: example.com, *.example.com ' +
          'or =example.com',
      ],
    ],
    [
      'a.example b.example\n',
      ['1: "a.example b.example" has more than one word: write one name, or a line of a hosts file'],
    ],
    [
      '203.0.113.7\n',
      ['1: "203.0.113.7": addresses and ranges go into "deny" of a rule, as 203.0.113.7:* or 203.0.113.0/24:*'],
    ],
    ['a..example\n', ['1: "a..example": the host name has an empty label']],
    [
      'a.*.example\n',
      [
        '1: "a.*.example": write one name in a line, without scheme, port or path: example.com, *.example.com ' +
          'or =example.com',
      ],
    ],
    [
      '*\n',
      ['1: "*": write one name in a line, without scheme, port or path: example.com, *.example.com or =example.com'],
    ],
    [`${'a'.repeat(maxLineBytes + 1)}\nb.example\nx y\n`, [`1: the line is longer than ${maxLineBytes} bytes`]],
    [
      '?\n'.repeat(7),
      [
        ...[1, 2, 3, 4, 5].map(
          (line) =>
            `${line}: "?": write one name in a line, without scheme, port or path: example.com, *.example.com ` +
            'or =example.com',
        ),
        'and 2 more lines',
      ],
    ],
  ])('that cannot be understood are complaints with their number: %j', (text, complaints) => {
    expect(read(text).complaints).toEqual(complaints);
  });

  it('that are not UTF-8 are complaints', () => {
    expect(read(Buffer.from('a.example\n\xff\xfe\nb.example\n', 'latin1')).complaints).toEqual(['2: it is not UTF-8']);
  });

  it('mean the same in any split of the bytes, and never throw', () => {
    const line = fc.oneof(
      fc.domain(),
      fc.domain().map((name) => `0.0.0.0 ${name}`),
      fc.domain().map((name) => `*.${name} # x`),
      fc.string({ unit: anyCharacter, maxLength: 30 }),
      fc.constantFrom(
        '',
        '\r',
        '#',
        'bücher.example',
        '\ufeff',
        'x'.repeat(maxLineBytes),
        'é'.repeat(maxLineBytes / 2 + 1),
      ),
    );
    const bytes = fc.oneof(
      fc.array(line, { maxLength: 12 }).map((lines) => Buffer.from(lines.join('\n'))),
      fc.uint8Array({ maxLength: 200 }),
    );
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(400), { maxLength: 8 }), (text, cuts) => {
        const whole = read(text);
        const parts = read(text, cuts);
        expect([parts.complaints, parts.list.size]).toEqual([whole.complaints, whole.list.size]);
      }),
    );
  });
});

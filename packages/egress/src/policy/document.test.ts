import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readDocument } from './document.ts';

describe('documents', () => {
  it('know the position of each value and key', () => {
    const document = readDocument('a: 1\nlist:\n  - x\n  - key: y\n');
    expect(document.value).toEqual({ a: 1, list: ['x', { key: 'y' }] });
    expect(document.positionOf(['list', 0])).toEqual({ line: 3, column: 5 });
    expect(document.positionOf(['list', 1, 'key'])).toEqual({ line: 4, column: 10 });
    expect(document.positionOfKey(['list', 1], 'key')).toEqual({ line: 4, column: 5 });
    expect(document.positionOf(['list', 1, 'absent', 'deeper'])).toEqual({ line: 4, column: 5 });
    expect(document.positionOfKey([], 'absent')).toEqual({ line: 1, column: 1 });
  });

  it.each([
    ['a: 1\na: 2\n', 2, 1, 'this is not YAML: Map keys must be unique'],
    [
      'allow: [*.internal:22]\n',
      1,
      9,
      'this is not YAML: *.internal:22 is an alias without an anchor; a ' +
        'text that begins with * or [ or { goes in quotes',
    ],
    ['a: [1\n', 2, 1, 'this is not YAML: '],
    ['a: 1\n---\nb: 2\n', 2, 1, 'this is not YAML: '],
    ['a: !thing 1\n', 1, 4, 'this is not YAML: '],
    ['a: b: c\n', 1, 4, 'this is not YAML: '],
  ])('say what is wrong with %j and where', (text, line, column, beginning) => {
    const { complaints, value } = readDocument(text);
    expect(value).toBeUndefined();
    expect(complaints[0]).toMatchObject({ line, column });
    expect(complaints[0]!.text).toContain(beginning);
  });

  it('refuse a bomb of aliases instead of growing it', () => {
    const lines = Array.from({ length: 30 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at},`.repeat(9)}*a${at}]`);
    expect(readDocument(['a0: &a0 [x]', ...lines].join('\n')).complaints[0]!.text).toContain('this is not YAML: ');
  });

  it('never throw, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'ab:-*&![]{}#|>\'" \n\t%@') })),
        (text) => {
          const document = readDocument(text);
          expect(document.complaints.every(({ line, column }) => line > 0 && column > 0)).toBe(true);
          expect(document.positionOf(['a', 0, 'b']).line).toBeGreaterThan(0);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

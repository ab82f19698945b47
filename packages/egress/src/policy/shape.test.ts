import { describe, expect, it } from '@jest/globals';
import { list, map, mapOf, oneOf, read, type Shape, text, textOf, refine, wholeNumber } from './shape.ts';

const number = textOf((written) =>
  /^\d+$/.test(written) ? { ok: true, value: Number(written) } : { ok: false, reason: 'no number' },
);
const faultsOf = (shape: Shape<unknown>, value: unknown) => read(shape, value).faults;

describe('a value', () => {
  it('that is a text keeps it beside what it means', () => {
    expect(read(number, '07')).toEqual({ value: { text: '07', value: 7 }, faults: [] });
    expect(faultsOf(number, 'a\nb')).toEqual([{ path: [], text: '"a\\nb": no number' }]);
    expect(faultsOf(number, 7)).toEqual([
      { path: [], text: 'has to be text (in quotes, if YAML reads it as something else)' },
    ]);
  });
  it('may be one of some, or a number in bounds', () => {
    expect(read(oneOf('a', 'b'), 'b').value).toBe('b');
    expect(faultsOf(oneOf('a', 'b'), 'B')).toEqual([{ path: [], text: 'has to be a or b' }]);
    expect(faultsOf(oneOf(1), '1')).toEqual([{ path: [], text: 'has to be 1' }]);
    expect([0, 3].map((value) => read(wholeNumber(0, 3), value).value)).toEqual([0, 3]);
    for (const value of [-1, 4, 1.5, NaN, '1', null])
      expect(faultsOf(wholeNumber(0, 3), value)).toEqual([{ path: [], text: 'has to be a whole number from 0 to 3' }]);
  });
  it('may be a list, which may have to hold something', () => {
    expect(read(list(text), [])).toEqual({ value: [], faults: [] });
    expect(faultsOf(list(text, { least: 1 }), [])).toEqual([{ path: [], text: 'is empty' }]);
    for (const value of ['a', {}, null])
      expect(faultsOf(list(text), value)).toEqual([{ path: [], text: 'has to be a list' }]);
  });
});

describe('a map', () => {
  const shape = map({ name: text }, { weight: wholeNumber(0, 9), tags: list(number) });

  it('has what is required, may have the rest, and leaves out what is not there', () => {
    expect(read(shape, { name: 'a' })).toEqual({ value: { name: 'a' }, faults: [] });
    expect(read(shape, { name: 'a', weight: 0, tags: ['1'] }).value).toEqual({
      name: 'a',
      weight: 0,
      tags: [{ text: '1', value: 1 }],
    });
    for (const value of [[], 'a', null, undefined])
      expect(faultsOf(shape, value)).toEqual([{ path: [], text: 'has to be a map of keys and values' }]);
  });
  it('says every fault, each where it is', () => {
    expect(faultsOf(shape, { weight: 10, tags: ['1', 'x', 3], nam: 'a', toString: 1 })).toEqual([
      { path: ['name'], text: 'is missing' },
      { path: ['weight'], text: 'has to be a whole number from 0 to 9' },
      { path: ['tags', 1], text: '"x": no number' },
      { path: ['tags', 2], text: 'has to be text (in quotes, if YAML reads it as something else)' },
      { path: [], key: 'nam', known: ['name', 'weight', 'tags'] },
      { path: [], key: 'toString', known: ['name', 'weight', 'tags'] },
    ]);
  });
  it('knows no key that every object has', () => {
    const proto = JSON.parse('{ "name": "a", "__proto__": 1 }') as unknown;
    expect(faultsOf(shape, proto)).toEqual([{ path: [], key: '__proto__', known: ['name', 'weight', 'tags'] }]);
    expect(faultsOf(map({ constructor: text }, {}), {})).toEqual([{ path: ['constructor'], text: 'is missing' }]);
  });
  it('may have free keys', () => {
    expect(read(mapOf(number), { a: '1', b: '2' }).value).toMatchObject({ a: { value: 1 }, b: { value: 2 } });
    expect(faultsOf(mapOf(number), { a: '1', b: 'x' })).toEqual([{ path: ['b'], text: '"x": no number' }]);
    expect(faultsOf(mapOf(number), [])).toEqual([{ path: [], text: 'has to be a map of keys and values' }]);
  });
  it('is looked at as a whole only if its parts are right', () => {
    const even = refine(list(wholeNumber(0, 9)), (items, at) =>
      items.length % 2 === 0 ? items : at.fault('is odd', [items.length - 1]),
    );
    expect(read(even, [1, 2]).value).toEqual([1, 2]);
    expect(faultsOf(even, [1])).toEqual([{ path: [0], text: 'is odd' }]);
    expect(faultsOf(even, ['a'])).toEqual([{ path: [0], text: 'has to be a whole number from 0 to 9' }]);
  });
});

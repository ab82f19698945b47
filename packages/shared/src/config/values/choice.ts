/**
 * One word of a fixed list, and the switch, which is true or false.
 * Rule: spelling is exact; the complaint lists the words.
 */
import { parsed, unparsed, type Parse } from '../parsed.ts';

/** A parser that knows all the texts that it takes, for completions. */
export type Choice<T extends string> = Parse<T> & { readonly words: readonly T[] };

/** `choice(['json', 'pretty'])` parses to the literal union. */
export function choice<const T extends string>(words: readonly T[]): Choice<T> {
  const parse: Parse<T> = (text) => {
    const word = words.find((candidate) => candidate === text);
    return word === undefined ? unparsed(`not one of ${words.join(', ')}`) : parsed(word);
  };
  return Object.assign(parse, { words });
}

/** The words of a parser that `choice` made; none for another. */
export function wordsOf(parse: Parse<unknown> & { readonly words?: readonly string[] }): readonly string[] {
  return parse.words ?? [];
}

export const parseSwitch: Parse<boolean> = (text) =>
  text === 'true' ? parsed(true) : text === 'false' ? parsed(false) : unparsed('neither true nor false');

/**
 * One word of a fixed list, and the switch, which is true or false.
 * Rule: spelling is exact; the complaint lists the words.
 */
import { parsed, unparsed, type Parse } from '../parsed.ts';

/** `choice(['json', 'pretty'])` parses to the literal union. */
export function choice<const T extends string>(words: readonly T[]): Parse<T> {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    return word === undefined ? unparsed(`not one of ${words.join(', ')}`) : parsed(word);
  };
}

export const parseSwitch: Parse<boolean> = (text) =>
  text === 'true' ? parsed(true) : text === 'false' ? parsed(false) : unparsed('neither true nor false');

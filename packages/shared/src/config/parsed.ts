/**
 * What every parser of a configuration value returns: the value, or the reason why there is none.
 * Rule: a parser never throws. Its reason follows `--flag "TEXT": `, says what is wrong and gives a correct example.
 * Not here: where the text came from (resolve.ts adds the flag, the variable, or the file with line and column).
 */
import type { Parsed } from '../protocol/address.ts';

export type { Parsed };

/**
 * `from` is the folder of the file that holds the text: relative paths start there. It is absent for flags and
 * variables, whose paths start at the working directory.
 */
export type Parse<T> = (text: string, from?: string) => Parsed<T>;

export const parsed = <T>(value: T): Parsed<T> => ({ ok: true, value });

export const unparsed = (reason: string): Parsed<never> => ({ ok: false, reason });

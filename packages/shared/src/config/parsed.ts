/**
 * What every parser of a configuration value answers: the value, or the reason why there is none.
 * Rule: a parser never throws; its reason stands behind "--flag "TEXT": ", says what is wrong and shows a right
 * example.
 * Not here: where the text came from (resolve.ts says flag, variable, or file, line and column).
 */
import type { Parsed } from '../protocol/address.ts';

export type { Parsed };

/**
 * `from` is the folder of the file that holds the text: relative paths start there. Absent for flags and variables,
 * which start where the program runs.
 */
export type Parse<T> = (text: string, from?: string) => Parsed<T>;

export const parsed = <T>(value: T): Parsed<T> => ({ ok: true, value });

export const unparsed = (reason: string): Parsed<never> => ({ ok: false, reason });

/**
 * One row of a command's table of settings. Its flag, variable, key in the YAML file, help line and typed value all
 * follow from the row.
 * Rule: a table is a literal `as const satisfies Settings`; nothing about a setting is written a second time.
 * Not here: reading the sources (resolve.ts), telling commander (flags.ts).
 */
import type { Parse } from './parsed.ts';

export interface Setting<T = unknown> {
  /** Kebab-case: `--client-ca`, `client-ca:` in the file, `ADIT_CLIENT_CA`. */
  readonly name: string;
  /** One letter: `-L`. */
  readonly short?: string;
  /**
   * What the flag takes, as help shows it: `HOST:PORT`. Absent for a switch, which takes no value on the command line,
   * and true or false elsewhere.
   */
  readonly argument?: string;
  readonly help: string;
  readonly parse: Parse<T>;
  /** The default, as a person would write it. */
  readonly fallback?: string;
  readonly required?: true;
  /**
   * May be given more than once; a list in the file, comma-separated in the variable. The whole list comes from the
   * strongest source.
   */
  readonly many?: true;
  /**
   * Whether a text holds a credential. Then it is refused on the command line, where `--NAME-file` replaces it, and
   * in a file that others may read.
   */
  readonly hasCredential?: (text: string) => boolean;
  /** How a complaint quotes a text that may hold a password. */
  readonly shown?: (text: string) => string;
  /** Never a flag (every user of the machine reads argv), and never quoted in a complaint. */
  readonly secret?: true;
}

/** Keyed by the field of the typed result. */
export type Settings = Readonly<Record<string, Setting>>;

type ItemOf<S> = S extends { readonly parse: Parse<infer T> } ? T : never;
type Sure = { readonly required: true } | { readonly fallback: string } | { readonly many: true };

/** The typed result of a table: a field is optional when its setting is not required, has no default and is no list. */
export type Options<S extends Settings> = {
  readonly [K in keyof S as S[K] extends Sure ? K : never]: S[K] extends { readonly many: true }
    ? readonly ItemOf<S[K]>[]
    : ItemOf<S[K]>;
} & { readonly [K in keyof S as S[K] extends Sure ? never : K]?: ItemOf<S[K]> };

/** The same setting, not required. */
export function optional<S extends Setting>(setting: S): Omit<S, 'required'> {
  const { required: _, ...rest } = setting;
  return rest;
}

/** The same table with nothing required. */
export function allOptional<S extends Settings>(settings: S): { readonly [K in keyof S]: Omit<S[K], 'required'> } {
  return Object.fromEntries(
    Object.entries(settings).map(([field, setting]) => [field, optional(setting)]),
  ) as unknown as { readonly [K in keyof S]: Omit<S[K], 'required'> };
}

/** `client-ca` -> `ADIT_CLIENT_CA`. */
export function variableOf(name: string): string {
  return `ADIT_${name.replaceAll('-', '_').toUpperCase()}`;
}

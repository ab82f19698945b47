/**
 * What a plain value has to look like, as functions: each reads one value and returns what it means, or says what is
 * wrong with it and returns undefined.
 * Rule: a key that a map does not know is a fault, and every fault of a value is found in one pass. A fault of a whole
 * is looked for only if its parts have none.
 * Not here: the words around a fault and its line (compile.ts).
 */
import type { Parsed } from '@adit/shared/protocol/address';

export type Path = readonly PropertyKey[];

/** What is wrong, and where: about the value there, or a key that it has and may not have. */
export type Fault =
  | { readonly path: Path; readonly text: string }
  | { readonly path: Path; readonly key: string; readonly known: readonly string[] };

/** Reads a value at a place. Undefined means that a fault was said. */
export type Shape<T> = (value: unknown, at: Place) => T | undefined;

/** Where a value is, and the faults of the whole that it is in. */
export class Place {
  readonly path: Path;
  readonly faults: Fault[];

  constructor(path: Path = [], faults: Fault[] = []) {
    this.path = path;
    this.faults = faults;
  }

  below(key: PropertyKey): Place {
    return new Place([...this.path, key], this.faults);
  }

  /** Says what is wrong here, or at a path below. */
  fault(text: string, below: Path = []): undefined {
    this.faults.push({ path: [...this.path, ...below], text });
  }
}

/** Reads a whole value. Without faults the value is there. */
export function read<T>(
  shape: Shape<T>,
  value: unknown,
): { readonly value: T | undefined; readonly faults: readonly Fault[] } {
  const at = new Place();
  const meant = shape(value, at);
  return { value: at.faults.length === 0 ? meant : undefined, faults: at.faults };
}

export const text: Shape<string> = (value, at) =>
  typeof value === 'string' ? value : at.fault('has to be text (in quotes, if YAML reads it as something else)');

/** A text that has a parser, beside what it means. A fault quotes the text and gives the reason of the parser. */
export function textOf<T>(parse: (text: string) => Parsed<T>): Shape<{ readonly text: string; readonly value: T }> {
  return refine(text, (written, at) => {
    const parsed = parse(written);
    if (parsed.ok) return { text: written, value: parsed.value };
    return at.fault(`${JSON.stringify(written)}: ${parsed.reason}`);
  });
}

export function oneOf<const T extends string | number>(...values: readonly T[]): Shape<T> {
  return (value, at) => values.find((one) => one === value) ?? at.fault(`has to be ${values.join(' or ')}`);
}

export function wholeNumber(least: number, most: number): Shape<number> {
  return (value, at) =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
      ? value
      : at.fault(`has to be a whole number from ${least} to ${most}`);
}

export function list<T>(item: Shape<T>, { least = 0 }: { readonly least?: number } = {}): Shape<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) return at.fault('has to be a list');
    if (value.length < least) return at.fault('is empty');
    const items = value.map((one: unknown, index) => item(one, at.below(index)));
    return items.includes(undefined) ? undefined : (items as T[]);
  };
}

type Shapes = Readonly<Record<string, Shape<unknown>>>;
type Meant<S extends Shapes> = { readonly [Key in keyof S]: S[Key] extends Shape<infer T> ? T : never };

/** A map with these keys and no others. */
export function map<Required extends Shapes, Optional extends Shapes>(
  required: Required,
  optional: Optional,
): Shape<Meant<Required> & Partial<Meant<Optional>>> {
  const shapes = new Map(Object.entries({ ...required, ...optional }));
  const known = [...shapes.keys()];
  return (value, at) => {
    if (!isMap(value)) return at.fault('has to be a map of keys and values');
    const faultsBefore = at.faults.length;
    const meant: Record<string, unknown> = {};
    for (const [key, shape] of shapes)
      if (Object.hasOwn(value, key) && value[key] !== undefined) meant[key] = shape(value[key], at.below(key));
      else if (Object.hasOwn(required, key)) at.fault('is missing', [key]);
    for (const key of Object.keys(value)) if (!shapes.has(key)) at.faults.push({ path: at.path, key, known });
    return at.faults.length > faultsBefore ? undefined : (meant as Meant<Required> & Partial<Meant<Optional>>);
  };
}

/** A map whose keys are free, and whose values are all alike. */
export function mapOf<T>(shape: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value, at) => {
    if (!isMap(value)) return at.fault('has to be a map of keys and values');
    const entries = Object.entries(value).map(([key, one]) => [key, shape(one, at.below(key))] as const);
    return entries.some(([, one]) => one === undefined)
      ? undefined
      : (Object.fromEntries(entries) as Record<string, T>);
  };
}

/** Goes on with what a value means, if nothing is wrong with it. */
export function refine<T, Next>(shape: Shape<T>, next: (meant: T, at: Place) => Next | undefined): Shape<Next> {
  return (value, at) => {
    const meant = shape(value, at);
    return meant === undefined ? undefined : next(meant, at);
  };
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Is a Kubernetes object what the API would take? By the published schemas of Kubernetes 1.34 in their strict form, in
 * which an unknown key is an error: those of the kinds that we ship, without descriptions (kubernetes-schemas.json,
 * Apache-2.0, the Kubernetes authors).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly Schema[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
}

const schemas = JSON.parse(readFileSync(join(import.meta.dirname, 'kubernetes-schemas.json'), 'utf8')) as Readonly<
  Record<string, Schema>
>;

/** What is wrong with it, each with its path; empty if nothing is. */
export function kubernetesFaults(value: { readonly apiVersion?: unknown; readonly kind?: unknown }): string[] {
  const [version, group = 'core'] = String(value.apiVersion).split('/').reverse() as [string, string?];
  const name = `io.k8s.api.${group}.${version}.${String(value.kind)}`;
  return schemas[name] === undefined ? [`no schema of ${name}`] : faults(value, schemas[name], String(value.kind));
}

function faults(value: unknown, schema: Schema, path: string): string[] {
  if (schema.$ref !== undefined) return faults(value, schemas[schema.$ref]!, path);
  if (schema.oneOf !== undefined)
    return schema.oneOf.some((each) => faults(value, each, path).length === 0) ? [] : [`${path}: fits nothing`];
  if (schema.type !== undefined && ![schema.type].flat().includes(typeOf(value))) return [`${path}: ${typeOf(value)}`];
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${path}: one of ${schema.enum.join(', ')}`];
  if (Array.isArray(value)) return value.flatMap((each, at) => faults(each, schema.items ?? {}, `${path}[${at}]`));
  if (typeof value !== 'object' || value === null) return [];
  const missing = (schema.required ?? []).filter((key) => !Object.hasOwn(value, key));
  return [
    ...missing.map((key) => `${path}: no ${key}`),
    ...Object.entries(value).flatMap(([key, each]) => {
      const of = schema.properties?.[key] ?? schema.additionalProperties;
      if (of === false) return [`${path}: unknown key ${key}`];
      return typeof of === 'object' ? faults(each, of, `${path}.${key}`) : [];
    }),
  ];
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

/**
 * The schema of a policy file: version, services, rules, tests. Text in, parsed patterns out.
 * Rule: an unknown key is an error, and every fault of the file is found in one pass.
 * Not here: duplicate names of rules (compile.ts), and whether the tests pass (policy-tests.ts).
 */
import { z } from 'zod';
import type { Parsed } from '@adit/shared/protocol/address';
import { addressFamily, type Destination, parseDestination, parseHost } from '@adit/shared/protocol/destination';
import { didYouMean } from './complaint.ts';
import { parseDestinationPattern, type DestinationPattern } from './destination-pattern.ts';
import { parseIdentityPattern, type IdentityPattern } from './identity-pattern.ts';
import { serviceKeys, serviceSchema } from './service-schema.ts';
import { textOf } from './text-of.ts';
import { viaKeys, viaSchema } from './via.ts';

/** Accepts only services that the file defines. */
const known =
  <T extends { readonly kind: string }>(services: readonly string[], parse: (text: string) => Parsed<T>) =>
  (text: string): Parsed<T> => {
    const parsed = parse(text);
    const undefinedService = parsed.ok && parsed.value.kind === 'service' && !services.includes(text);
    return undefinedService
      ? { ok: false, reason: `no service of that name is defined${didYouMean(text, services)}` }
      : parsed;
  };

/** A test is about one identity. */
function parseTestIdentity(text: string): Parsed<IdentityPattern> {
  const parsed = parseIdentityPattern(text);
  const many = parsed.ok && (parsed.value.kind === 'everybody' || parsed.value.glob);
  return many ? { ok: false, reason: 'a test is about one identity: write it without "*"' } : parsed;
}

function parseGroup(text: string): Parsed<string> {
  const parsed = parseIdentityPattern(`group:${text}`);
  return parsed.ok
    ? { ok: true, value: text }
    : { ok: false, reason: 'write the name of a group alone, such as developers' };
}

function parseFile(text: string): Parsed<string> {
  return text === '' || text.includes('\0') ? { ok: false, reason: 'name a file' } : { ok: true, value: text };
}

function parseIp(text: string): Parsed<string> {
  const host = addressFamily(text) === 0 ? undefined : parseHost(text);
  return host ?? { ok: false, reason: 'it is not an address' };
}

/** The schema of a file with these services, by name, and these rules, both as they were read. */
export function policySchema(written: Readonly<Record<string, unknown>>, writtenRules: unknown = []) {
  const services = Object.keys(written);
  type RuleSchema = ReturnType<typeof ruleSchema>;
  const rules = Array.isArray(writtenRules) ? writtenRules.map((raw: unknown) => ruleSchema(raw, services)) : [];
  return z.strictObject({
    version: z.literal(1),
    services: z
      .strictObject(Object.fromEntries(services.map((name) => [name, serviceSchema(written[name])])))
      .optional(),
    rules:
      rules.length > 0 ? z.tuple(rules as [RuleSchema, ...RuleSchema[]]) : z.array(ruleSchema(undefined, services)),
    tests: z.array(testSchema(services)).optional(),
  });
}

/** The schema of a rule that was read as `raw`. */
function ruleSchema(raw: unknown, services: readonly string[]) {
  const patterns = z.array(textOf(known(services, parseDestinationPattern)));
  return z
    .strictObject({
      name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$/, {
        error: 'a rule is named with up to 63 letters, digits, spaces, dots, dashes and underscores',
      }),
      identities: z.array(textOf(parseIdentityPattern)).min(1),
      allow: patterns.optional(),
      deny: patterns.optional(),
      'deny-files': z.array(textOf(parseFile)).min(1).optional(),
      via: viaSchema((raw as { readonly via?: unknown } | null | undefined)?.via).optional(),
    })
    .superRefine(({ allow = [], via }, context) => {
      for (const { path, message } of via === undefined ? [] : viaFaults(allow.map(({ value }) => value)))
        context.addIssue({ code: 'custom', path: [...path], message });
    });
}

interface Fault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** The faults of a rule with `via`. */
function viaFaults(allow: readonly DestinationPattern[]): readonly Fault[] {
  if (allow.length === 0)
    return [{ path: ['via'], message: 'applies to what the rule allows, and the rule allows nothing' }];
  return allow.flatMap((pattern, at) => {
    if (pattern.kind !== 'service') return [];
    const service = JSON.stringify(pattern.service);
    return [{ path: ['allow', at], message: `${service} is a service: "via" belongs to the service, not to the rule` }];
  });
}

function testSchema(services: readonly string[]) {
  return z.strictObject({
    identity: textOf(parseTestIdentity),
    groups: z.array(textOf(parseGroup)).optional(),
    destination: textOf<Destination>(known(services, parseDestination)),
    address: textOf(parseIp).optional(),
    expect: z.enum(['allow', 'deny']),
  });
}

/** The keys that the map at a path may have, for complaints about an unknown one. */
export function keysAt(path: readonly PropertyKey[]): readonly string[] {
  if (path.at(-1) === 'via') return viaKeys;
  const [top, , ...below] = path;
  if (top === undefined) return ['version', 'services', 'rules', 'tests'];
  if (top === 'rules') return ['name', 'identities', 'allow', 'deny', 'deny-files', 'via'];
  if (top === 'tests') return ['identity', 'groups', 'destination', 'address', 'expect'];
  return serviceKeys[String(below[0] ?? '')] ?? [];
}

export type PolicySource = z.output<ReturnType<typeof policySchema>>;

/**
 * The schema of a policy file: version, services, rules, tests. Text in, parsed patterns out.
 * Rule: an unknown key is an error, and every fault of the file is found in one pass.
 * Not here: duplicate names of rules (compile.ts), and whether the tests pass (policy-tests.ts).
 */
import type { Parsed } from '@adit/shared/protocol/address';
import { addressFamily, type Destination, parseDestination, parseHost } from '@adit/shared/protocol/destination';
import { didYouMean } from './complaint.ts';
import { parseDestinationPattern, type DestinationPattern } from './destination-pattern.ts';
import { parseIdentityPattern, type IdentityPattern } from './identity-pattern.ts';
import { service } from './service-schema.ts';
import { isMap, list, map, mapOf, oneOf, type Shape, text, textOf, refine } from './shape.ts';
import { via } from './via.ts';

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

/** A policy file as it was written; the services that its rules may name are its own. */
export const policy: Shape<PolicySource> = (value, at) => {
  const written = isMap(value) ? value['services'] : undefined;
  return policyOf(isMap(written) ? Object.keys(written) : [])(value, at);
};

/** The shape of a file with services of these names. */
const policyOf = (services: readonly string[]) =>
  map(
    { version: oneOf(1), rules: list(ruleOf(services)) },
    { services: mapOf(service), tests: list(testOf(services)) },
  );

export type PolicySource = NonNullable<ReturnType<ReturnType<typeof policyOf>>>;

const ruleName = refine(text, (name, at) =>
  /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$/.test(name)
    ? name
    : at.fault('a rule is named with up to 63 letters, digits, spaces, dots, dashes and underscores'),
);

function ruleOf(services: readonly string[]) {
  const patterns = list(textOf(known(services, parseDestinationPattern)));
  return refine(
    map(
      { name: ruleName, identities: list(textOf(parseIdentityPattern), { least: 1 }) },
      { allow: patterns, deny: patterns, 'deny-files': list(textOf(parseFile), { least: 1 }), via },
    ),
    (rule, at) => {
      const wrong = rule.via === undefined ? [] : viaFaults((rule.allow ?? []).map(({ value }) => value));
      for (const { path, message } of wrong) at.fault(message, path);
      return wrong.length > 0 ? undefined : rule;
    },
  );
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

function testOf(services: readonly string[]) {
  return map(
    {
      identity: textOf(parseTestIdentity),
      destination: textOf<Destination>(known(services, parseDestination)),
      expect: oneOf('allow', 'deny'),
    },
    { groups: list(textOf(parseGroup)), address: textOf(parseIp) },
  );
}

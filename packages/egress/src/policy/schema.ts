/**
 * The shape of a policy file: version, services, rules, tests. Text in, parsed patterns out.
 * Rule: strict: a key that nobody reads is an error, and every fault of the file is found in one pass.
 * Not here: two rules with one name, and whether the tests hold (compile.ts).
 */
import { z } from 'zod';
import { addressFamily, parseDestination, parseHost, type Destination, type Parsed } from '@adit/shared';
import { didYouMean } from './complaint.ts';
import { parseDestinationPattern } from './destination-pattern.ts';
import { parseIdentityPattern, type IdentityPattern } from './identity-pattern.ts';
import type { Target } from './verdict.ts';

/** A text that `parse` reads; the complaint quotes it. */
const textOf = <T>(parse: (text: string) => Parsed<T>) => z.string().transform((text, context) => {
  const parsed = parse(text);
  if (parsed.ok) return { text, value: parsed.value };
  context.issues.push({ code: 'custom', message: `${JSON.stringify(text)}: ${parsed.reason}`, input: text });
  return z.NEVER;
});

/** "tcp://HOST:PORT". */
function parseTarget(text: string): Parsed<Target> {
  const destination = text.startsWith('tcp://') ? parseDestination(text.slice('tcp://'.length)) : undefined;
  if (destination === undefined) return { ok: false, reason: 'write tcp://HOST:PORT' };
  if (!destination.ok) return destination;
  return destination.value.kind === 'host' ? { ok: true, value: { host: destination.value.host, port: destination.value.port } } : { ok: false, reason: 'the port is missing: write tcp://HOST:PORT' };
}

/** A service has to be one that the file defines. */
const known = <T extends { readonly kind: string }>(services: readonly string[], parse: (text: string) => Parsed<T>) => (text: string): Parsed<T> => {
  const parsed = parse(text);
  const undefinedService = parsed.ok && parsed.value.kind === 'service' && !services.includes(text);
  return undefinedService ? { ok: false, reason: `no service of that name is defined${didYouMean(text, services)}` } : parsed;
};

/** A test is about one identity. */
function parseTestIdentity(text: string): Parsed<IdentityPattern> {
  const parsed = parseIdentityPattern(text);
  const many = parsed.ok && (parsed.value.kind === 'everybody' || parsed.value.glob);
  return many ? { ok: false, reason: 'a test is about one identity: write it without "*"' } : parsed;
}

function parseGroup(text: string): Parsed<string> {
  const parsed = parseIdentityPattern(`group:${text}`);
  return parsed.ok ? { ok: true, value: text } : { ok: false, reason: 'write the name of a group alone, such as developers' };
}

function parseIp(text: string): Parsed<string> {
  const host = addressFamily(text) === 0 ? undefined : parseHost(text);
  return host ?? { ok: false, reason: 'it is not an address' };
}

/** The schema of a file that defines these services. */
export function policySchema(services: readonly string[]) {
  const patterns = z.array(textOf(known(services, parseDestinationPattern)));
  const rule = z.strictObject({
    name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$/, { error: 'a rule is named with up to 63 letters, digits, spaces, dots, dashes and underscores' }),
    identities: z.array(textOf(parseIdentityPattern)).min(1),
    allow: patterns.optional(),
    deny: patterns.optional(),
  });
  const test = z.strictObject({
    identity: textOf(parseTestIdentity),
    groups: z.array(textOf(parseGroup)).optional(),
    destination: textOf<Destination>(known(services, parseDestination)),
    address: textOf(parseIp).optional(),
    expect: z.enum(['allow', 'deny']),
  });
  return z.strictObject({
    version: z.literal(1),
    services: z.record(z.string(), textOf(parseTarget)).optional(),
    rules: z.array(rule),
    tests: z.array(test).optional(),
  });
}

/** Keys by depth of the path: what an unknown one may have been meant to be. */
export const policyKeys: Readonly<Record<string, readonly string[]>> = {
  '': ['version', 'services', 'rules', 'tests'],
  rules: ['name', 'identities', 'allow', 'deny'],
  tests: ['identity', 'groups', 'destination', 'address', 'expect'],
};

export type PolicySource = z.output<ReturnType<typeof policySchema>>;

/**
 * Compiles the text of a policy file to rules.
 * Rule: either the whole file is understood, or all complaints about it are reported at once, each with its position.
 * Not here: the tests in the file (policy.ts runs them on the compiled rules).
 */
import { isServiceName } from '@adit/shared/protocol/destination';
import { didYouMean, policyInvalid, type Complaint, type Position } from './complaint.ts';
import type { DestinationPattern } from './destination-pattern.ts';
import { readDocument, type SourceDocument } from './document.ts';
import type { Clause, Grant } from './grants.ts';
import type { IdentityPattern } from './identity-pattern.ts';
import { policy, type PolicySource } from './schema.ts';
import type { Service } from './service.ts';
import { type Fault, isMap, read } from './shape.ts';

export interface Rule {
  readonly name: string;
  readonly identities: readonly IdentityPattern[];
  readonly allow: readonly Grant[];
  readonly deny: readonly Grant[];
  readonly denyFiles: readonly DenyFile[];
}

/** A blocklist of a rule, as the policy writes it. */
export interface DenyFile extends Clause {
  readonly file: string;
}

/** One entry of `tests`, and its position. */
export type PolicyTest = NonNullable<PolicySource['tests']>[number] & { readonly position: Position };

export interface CompiledPolicy {
  readonly services: ReadonlyMap<string, Service>;
  readonly rules: readonly Rule[];
  readonly tests: readonly PolicyTest[];
}

/** `file` names the file in complaints. Fails with POLICY_INVALID, with all complaints in one error. */
export function compilePolicy(text: string, file: string): CompiledPolicy {
  const document = readDocument(text);
  if (document.complaints.length > 0) throw policyInvalid(file, document.complaints);
  if (document.value === null || document.value === undefined)
    throw policyInvalid(file, [{ line: 1, column: 1, text: 'the file is empty: a policy begins with "version: 1"' }]);
  const { services: written } = document.value as { readonly services?: unknown };
  const { value, faults } = read(policy, document.value);
  const complaints = [
    ...faults.map((fault) => complain(fault, document)),
    ...Object.keys(isMap(written) ? written : {})
      .filter((name) => !isServiceName(name))
      .map((name) => ({
        ...document.positionOfKey(['services'], name),
        text:
          `${JSON.stringify(name)} cannot name a service: use a-z, 0-9 and inner dashes, one letter at least, 63 ` +
          'characters at most',
      })),
    ...ruleFaults(document),
  ];
  if (value === undefined || complaints.length > 0) throw policyInvalid(file, complaints);
  return assemble(value, document, file);
}

function assemble(source: PolicySource, document: SourceDocument, file: string): CompiledPolicy {
  const reason = (
    rule: number,
    list: 'allow' | 'deny' | 'deny-files',
    { text, at }: { readonly text: string; readonly at: number },
  ): Clause => {
    const { line, column } = document.positionOf(['rules', rule, list, at]);
    const { name } = source.rules[rule]!;
    return { rule: name, why: `rule "${name}" (${file}:${line}:${column}, "${text}")` };
  };
  const grants = (rule: number, list: 'allow' | 'deny'): Grant[] =>
    (source.rules[rule]![list] ?? []).map(({ text, value }, at) => ({
      ...reason(rule, list, { text, at }),
      pattern: value satisfies DestinationPattern,
      ...(list === 'allow' && source.rules[rule]!.via && { via: source.rules[rule]!.via }),
    }));
  const files = (rule: number): DenyFile[] =>
    (source.rules[rule]!['deny-files'] ?? []).map(({ text, value }, at) => ({
      ...reason(rule, 'deny-files', { text, at }),
      file: value,
    }));
  return {
    services: new Map(Object.entries(source.services ?? {}).map(([name, service]) => [name, { ...service, name }])),
    rules: source.rules.map(({ name, identities }, at) => ({
      name,
      identities: identities.map(({ value }) => value),
      allow: grants(at, 'allow'),
      deny: grants(at, 'deny'),
      denyFiles: files(at),
    })),
    tests: (source.tests ?? []).map((test, at) => ({ ...test, position: document.positionOf(['tests', at]) })),
  };
}

/** Duplicate names and empty rules, found in the raw value so that other faults do not hide them. */
function ruleFaults(document: SourceDocument): Complaint[] {
  const rules: unknown = (document.value as { rules?: unknown }).rules;
  const seen = new Set<unknown>();
  return (Array.isArray(rules) ? rules : []).flatMap((rule: unknown, at) => {
    if (typeof rule !== 'object' || rule === null) return [];
    const { name, allow, deny, 'deny-files': files } = rule as Readonly<Record<string, unknown>>;
    const twice =
      typeof name === 'string' && seen.has(name)
        ? [
            {
              ...document.positionOf(['rules', at, 'name']),
              text: `a second rule is named ${JSON.stringify(name)}: logs could not tell them apart`,
            },
          ]
        : [];
    seen.add(name);
    return allow === undefined && deny === undefined && files === undefined
      ? [...twice, { ...document.positionOf(['rules', at]), text: 'the rule neither allows nor denies anything' }]
      : twice;
  });
}

/** A fault with its place in the file. */
function complain(fault: Fault, document: SourceDocument): Complaint {
  const { path } = fault;
  if ('key' in fault) {
    const { key, known } = fault;
    const text = `unknown key "${key}"${didYouMean(key, known) || `: there are ${known.join(', ')}`}`;
    return { ...document.positionOfKey(path, key), text };
  }
  const what = typeof path.at(-1) === 'string' ? `"${String(path.at(-1))}" ` : '';
  const start = path[0] === 'version' && fault.text === 'is missing' ? ': a policy begins with "version: 1"' : '';
  return { ...document.positionOf(path), text: what + fault.text + start };
}

/**
 * The policy in force: who may reach what. Pure: the file is text, addresses come from the dialer, nothing here waits.
 * Rule: asked for every stream before DNS (`decide`) and on every resolved address (`decideAddress`); no rule means no, deny wins.
 * What an identity may do is indexed once per Subject object, which a session keeps for its life.
 * Spec: docs/policy.md.
 */
import { formatDestination, parseAddress, parseHost, type Destination } from '@adit/shared';
import { policyInvalid } from './complaint.ts';
import { compilePolicy, type CompiledPolicy, type Rule } from './compile.ts';
import { Grants } from './grants.ts';
import { identityMatches } from './identity-pattern.ts';
import { judgeRequest, judgeResolved, type Request } from './judge.ts';
import { nearest } from './nearest.ts';
import { runPolicyTests, type FailedTest } from './policy-tests.ts';
import type { Subject, Target, Verdict } from './verdict.ts';

type Denied = Extract<Verdict, { readonly allow: false }>;

interface Standing { readonly rules: readonly Rule[]; readonly allow: Grants; readonly deny: Grants }

export class Policy {
  readonly file: string;
  readonly #compiled: CompiledPolicy;
  readonly #standings = new WeakMap<Subject, Standing>();

  private constructor(file: string, compiled: CompiledPolicy) {
    this.file = file;
    this.#compiled = compiled;
  }

  /** Reads a policy file's text and runs its tests; `file` names it in complaints and logs. Fails with POLICY_INVALID, all complaints in one. */
  static parse(text: string, file: string): Policy {
    const policy = new Policy(file, compilePolicy(text, file));
    const failed = policy.runTests();
    if (failed.length > 0) throw policyInvalid(file, failed);
    return policy;
  }

  /** How much is in the file. */
  get size(): { readonly rules: number; readonly services: number; readonly tests: number } {
    const { rules, services, tests } = this.#compiled;
    return { rules: rules.length, services: services.size, tests: tests.length };
  }

  /** The trust domains that rules pin: what a bare name in a test may stand for. */
  get trustDomains(): readonly string[] {
    const domains = this.#compiled.rules.flatMap(({ identities }) => identities.flatMap((pattern) => (pattern.kind !== 'everybody' && pattern.trustDomain !== undefined ? [pattern.trustDomain] : [])));
    return [...new Set(domains)].sort();
  }

  /** Does any rule speak about this identity or one of its groups? */
  knows(subject: Subject): boolean { return this.#standing(subject).rules.length > 0; }

  /**
   * Before DNS: identity, requested name and port. Allowed means for a name: resolve it and ask `decideAddress` about every address;
   * for an address it is final. Codes: POLICY_DENIED, UNKNOWN_SERVICE, ADDRESS_PROHIBITED.
   */
  decide(subject: Subject, destination: Destination): Verdict {
    const request = this.#request(subject, destination);
    return 'code' in request ? request : judgeRequest(request);
  }

  /** After DNS: one resolved address, as text. Asks all that `decide` asks, too. Codes: POLICY_DENIED, UNKNOWN_SERVICE, ADDRESS_PROHIBITED. */
  decideAddress(subject: Subject, destination: Destination, address: string): Verdict {
    const request = this.#request(subject, destination);
    return 'code' in request ? request : judgeResolved(request, address);
  }

  /** Runs the tests of the file: those that fail, each with its place and what was decided. */
  runTests(): readonly FailedTest[] { return runPolicyTests(this, this.#compiled.tests); }

  /** The request with its service looked up and its host in one spelling; a refusal when there is no such service or host. */
  #request(subject: Subject, destination: Destination): Request | Denied {
    const service = destination.kind === 'service' ? destination.service : undefined;
    const target = destination.kind === 'service' ? this.#compiled.services.get(destination.service) : hostTarget(destination);
    const text = formatDestination(destination);
    if (target === undefined) return service === undefined ? noDestination : unknownService(service);
    const { host, port } = target;
    const { allow, deny, rules } = this.#standing(subject);
    const asked = { service, host, port, literal: parseAddress(host) };
    return { ...asked, allow, deny, text, identity: subject.name, nearest: () => nearest(asked, rules, this.#compiled.rules) };
  }

  #standing(subject: Subject): Standing {
    const known = this.#standings.get(subject);
    if (known !== undefined) return known;
    const rules = this.#compiled.rules.filter(({ identities }) => identities.some((pattern) => identityMatches(pattern, subject)));
    const standing = { rules, allow: new Grants(rules.flatMap(({ allow }) => allow)), deny: new Grants(rules.flatMap(({ deny }) => deny)) };
    this.#standings.set(subject, standing);
    return standing;
  }
}

/** The host once more in its one spelling: whoever made the destination, what is compared is canonical. */
function hostTarget({ host, port }: { readonly host: string; readonly port: number }): Target | undefined {
  const canonical = parseHost(host);
  return canonical.ok && Number.isInteger(port) && port > 0 && port <= 65535 ? { host: canonical.value, port } : undefined;
}

const noDestination: Denied = { allow: false, code: 'POLICY_DENIED', reason: 'The destination is no host and port.', detail: 'the host is not a name or address, or the port is not 1 to 65535' };

function unknownService(service: string): Denied {
  return { allow: false, code: 'UNKNOWN_SERVICE', reason: `The egress defines no service ${JSON.stringify(service)}.`, detail: `the policy defines no service ${JSON.stringify(service)}` };
}
